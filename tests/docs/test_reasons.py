"""Every verdict, reason, outcome and state that the operator's pages name exists."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from missedd.core.model import Kind, Outcome, State, Verdict
from missedd.core.polls.voting_rules import VoteStatus
from missedd.core.reasons import Reason

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = (
    *("analytics", "backup-and-restore", "callbacks", "compliance", "configuration", "getting-started"),
    *("leads-and-conversions", "lists-and-consent", "logs", "operations", "polls", "runbook", "sms"),
    *("troubleshooting", "verification"),
)
KNOWN: Final = {
    *map(str, chain(Reason, Verdict, Outcome, State, Kind, VoteStatus)),
    *("webhook-id", "date-time"),
}


@pytest.mark.parametrize("page", PAGES)
def test_page_names_only_what_exists(page: str) -> None:
    text = re.sub(r"```.*?```", "", (DOCS / f"{page}.md").read_text("utf-8"), flags=re.DOTALL)
    assert set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", text)) <= KNOWN
