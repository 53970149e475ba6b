"""docs/concepts.md knows every word that the program answers with."""

from __future__ import annotations

import pytest

from missedd.core.model import Kind, Outcome, State, Verdict
from tests.docs.markdown import page

CONCEPTS = page("docs/concepts.md").code_spans


@pytest.mark.parametrize("word", [*Verdict, *Kind, *State, *Outcome])
def test_each_verdict_kind_state_and_outcome_is_explained(word: str) -> None:
    assert word in CONCEPTS
