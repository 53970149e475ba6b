"""Calling from another ExoPhone, and whose the call of somebody is who rings that one back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from missedd.core.model import Outcome
from missedd.core.policy import Policy, VotePolicy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    EXOPHONE,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    minutes,
    policy,
    seconds,
)
from tests.store.steps import (
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    report_outcome,
    rows,
    verdict_texts,
)

SHOWN = "+918047120099"
"""An ExoPhone of the account that no campaign owns."""
SHOP = campaign(name="shop", callback=callback(caller_id=SHOWN), dedup_window=seconds(0), lead_source="x")
CLINIC = campaign(
    name="clinic", exophones=(SECOND_EXOPHONE,), callback=callback(caller_id=SHOWN), dedup_window=seconds(0)
)
TWO = policy(SHOP, CLINIC)


async def rung(store: Store, sid: str, at: float, exophone: str = EXOPHONE, of: Policy = TWO) -> int:
    """Somebody rings, and is called back half a minute later; the callback's id."""
    when = NOON + minutes(at)
    await admit_calls(store, call(sid, when, dialled=(exophone,)), of=of, at=when)
    ((action_id,),) = await rows(store, "SELECT max(id) FROM actions WHERE kind = 'callback'")
    assert len((await claim_actions(store, action_id, at=when + seconds(30), of=of)).claimed) == 1
    await answer_action(store, Accepted(f"sid-{action_id}"), action_id, at=when + seconds(31))
    await report_outcome(
        *(store, Outcome.NO_ANSWER, action_id), sid=f"sid-{action_id}", at=when + seconds(60), of=of
    )
    return int(action_id)


async def rings_back(store: Store, at: float, caller: str = CALLER, of: Policy = TWO) -> AdmittedCall:
    when = NOON + minutes(at)
    (found,) = await admit_calls(
        store, call(f"back-{at}", when, caller=caller, dialled=(SHOWN,)), of=of, at=when
    )
    return found


async def test_the_number_that_is_shown_is_kept_with_the_attempt(store: Store) -> None:
    action_id = await rung(store, "c1", 0)
    assert await rows(
        store, "SELECT exophone, details ->> 'caller_id' FROM actions WHERE id = ?", action_id
    ) == [(EXOPHONE, SHOWN)]


async def test_who_rings_back_rings_the_campaign_that_had_called_last(store: Store) -> None:
    await rung(store, "c1", 0)
    found = await rings_back(store, 5)
    assert verdict_texts([found]) == ["accepted"]
    assert (found.admission.campaign, found.admission.exophone) == ("shop", SHOWN)
    assert await rows(store, "SELECT count(*) FROM leads") == [(1,)]
    await rung(store, "c2", 70, SECOND_EXOPHONE)
    assert (await rings_back(store, 75)).admission.campaign == "clinic"
    await rung(store, "c3", 140)
    assert (await rings_back(store, 145)).admission.campaign == "shop"


async def test_nobody_else_is_anybodys_there(store: Store) -> None:
    await rung(store, "c1", 0)
    found = await rings_back(store, 5, OTHER)
    assert verdict_texts([found]) == ["unknown-exophone"]
    assert await rows(store, "SELECT campaign FROM calls WHERE call_sid = 'back-5'") == [(None,)]


async def test_a_callback_that_reached_nobody_showed_nothing(store: Store) -> None:
    await admit_calls(store, call("c1"), of=TWO)
    assert verdict_texts([await rings_back(store, 0.1)]) == ["unknown-exophone"]  # still waiting
    await claim_actions(store, 2, at=NOON + seconds(30), of=TWO)
    await answer_action(store, Refused(False, "400", Reason.PROVIDER_REFUSED), 2)
    assert verdict_texts([await rings_back(store, 5)]) == ["unknown-exophone"]


async def test_where_it_is_another_campaigns_it_stays_that_campaigns_for_everybody_else(store: Store) -> None:
    desk = campaign(name="desk", exophones=(SHOWN,), callback=callback(), dedup_window=seconds(0))
    of = policy(SHOP, desk)
    assert (await rings_back(store, 0, OTHER, of)).admission.campaign == "desk"
    await rung(store, "c1", 1, of=of)
    assert (await rings_back(store, 5, of=of)).admission.campaign == "shop"
    # The desk rings her from its own number in its turn, which is what stands on her telephone then.
    await rung(store, "c2", 70, SHOWN, of=replace(of, campaigns=(replace(SHOP, callback=callback()), desk)))
    assert (await rings_back(store, 75, of=of)).admission.campaign == "desk"


async def test_a_vote_rung_back_is_the_campaigns_too(store: Store) -> None:
    voting = policy(replace(SHOP, vote=VotePolicy("singer", "Asha")))
    await rung(store, "c1", 0, of=voting)
    found = await rings_back(store, 5, of=voting)
    assert [each.reason for each in found.admission.actions if each.kind == "vote"] == [Reason.VOTE_SURPLUS]


@pytest.mark.parametrize("caller", [SHOWN, EXOPHONE])
async def test_a_number_that_is_only_called_from_is_one_of_ours(store: Store, caller: str) -> None:
    (found,) = await admit_calls(store, call(caller=caller), of=TWO)
    assert verdict_texts([found]) == ["own-number"]
    assert await actions(store) == []
