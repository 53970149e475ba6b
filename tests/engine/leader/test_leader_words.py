"""What the leader tells all nodes goes into the database and comes back."""

from __future__ import annotations

import pytest

from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.core.upstream.trouble import Trouble, TroubleKind
from missedd.engine.leader.leader import LeaderState
from missedd.engine.leader.leader_words import decode_leader_state, encode_leader_state
from tests.core.campaigns import NOON


def test_troubles_and_held_lanes_come_back_as_they_were() -> None:
    trouble = Trouble(TroubleKind.EXPIRING, "shop", NOON, 3, "nobody answers", "call them")
    state = LeaderState((trouble,), {Lane.VOICE: Reason.PROVIDER_UNREACHABLE})
    assert decode_leader_state(encode_leader_state(state)) == state


@pytest.mark.parametrize("text", ["{}", '{"troubles":[{"kind":"of-a-later-release"}]}', '{"later":1}'])
def test_words_that_this_release_lacks_show_nothing(text: str) -> None:
    assert decode_leader_state(text) == LeaderState()
