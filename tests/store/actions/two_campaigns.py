"""Two campaigns that owe the same person a callback, of which the second waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from missedd.base.clock import to_us
from missedd.core.model import Lane
from missedd.core.policy import Policy
from missedd.store.actions.rows import Timer
from missedd.store.store import Store
from tests.core.campaigns import NOON, SECOND_EXOPHONE, call, callback, campaign, policy, seconds
from tests.store.steps import actions, admit_calls, claim_actions, place_callback

PATIENT = callback(give_up_after=timedelta(hours=3))


def two(first: object = PATIENT, second: object = PATIENT) -> Policy:
    """Two campaigns that the same people ring."""
    return policy(
        campaign(callback=first),
        campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=second),
    )


TWO = two()
SECOND_AT = NOON + seconds(5)
SECOND_DUE = SECOND_AT + seconds(30)
HELD = ("held", None, "caller-being-rung")


async def both_owed(store: Store, of: Policy = TWO) -> None:
    """The same person rang both campaigns: actions 1 and 2."""
    await admit_calls(store, call("c1"), of=of)
    await admit_calls(store, call("c2", SECOND_AT, dialled=(SECOND_EXOPHONE,)), of=of, at=SECOND_AT)


async def second_waits(store: Store, of: Policy = TWO) -> None:
    """The first campaign rings; the second wants to."""
    await both_owed(store, of)
    await place_callback(store, of=of)
    claims = await claim_actions(store, 2, at=SECOND_DUE, of=of)
    assert claims.claimed == ()
    assert (await actions(store))[1] == HELD


def look(at: datetime) -> Timer:
    return Timer(to_us(at), 1, Lane.LOOKUP)
