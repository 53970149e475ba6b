"""A campaign with a poll, votes for it, and its counts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from missedd.core.model import InboundCall
from missedd.core.policy import Policy, VotePolicy
from missedd.store.polls.recount import Recount, open_snapshot, recount_from_calls, stored_tally
from missedd.store.polls.rule_changes import RuleChangeResult, recount_changed_polls
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, call, campaign, minutes, policy, poll

ASHA, RAVI = "+918047120010", "+918047120011"


def voting(**rules: Any) -> Policy:
    """Two campaigns, one option each, in one poll."""
    return policy(
        campaign(name="vote-asha", exophones=(ASHA,), vote=VotePolicy("singer", "Asha")),
        campaign(name="vote-ravi", exophones=(RAVI,), vote=VotePolicy("singer", "Ravi")),
        polls=(poll(**rules),),
    )


def vote(sid: str, at: float = 0, to: str = ASHA, caller: str = CALLER) -> InboundCall:
    return call(sid, NOON + minutes(at), dialled=(to,), caller=caller)


async def opened(store: Store, of: Policy) -> list[RuleChangeResult]:
    return await store.write(partial(recount_changed_polls, policy=of))


def counted_again(path: Path) -> Recount:
    with open_snapshot(path) as reading:
        kept = stored_tally(reading, "singer")
        assert kept is not None
        return recount_from_calls(reading, kept)
