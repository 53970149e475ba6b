"""A text is written as its SMS is claimed, from what is known then; or not sent at all."""

from __future__ import annotations

import pytest

from missedd.core.policy import Policy, VotePolicy
from missedd.core.reasons import Reason
from missedd.store.db.database import Database
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, call, campaign, ist, minutes, office, policy, sms
from tests.store.steps import actions, admit_calls, claim_actions, rows


def texting(body: str, template: str | None = None) -> Policy:
    text = sms(body=body, dlt_template=template)
    return policy(
        campaign(sms=text, vote=VotePolicy("singer", "Asha")),
        campaign(name="ravi", exophones=("+918047120009",), vote=VotePolicy("singer", "Ravi")),
    )


async def count(db: Database) -> None:
    await db.execute("DELETE FROM tallies")
    await db.executemany(
        "INSERT INTO tallies (poll, option, votes) VALUES (?, ?, ?)",
        [("singer", "Asha", 12), ("singer", "Ravi", 40), ("dancer", "Asha", 99)],
    )


async def test_a_text_is_written_as_it_is_claimed(store: Store) -> None:
    of = texting("{caller} rang at {time}. {option}! {standing}")
    await admit_calls(store, call(), of=of)
    await store.write(count)
    (taken,) = (await claim_actions(store, 2, at=NOON + minutes(7), of=of)).claimed
    assert taken.rendered_sms is not None
    assert taken.rendered_sms.text == f"{CALLER} rang at 12:00. Asha! Ravi 40, Asha 12"


async def test_what_it_promises_is_true_when_it_is_sent(store: Store) -> None:
    of = policy(campaign(sms=sms(body="We open at {opening}."), hours=office()))
    await admit_calls(store, call(at=ist("2026-11-23 23:30")), of=of, at=ist("2026-11-23 23:30"))
    (taken,) = (await claim_actions(store, 1, at=ist("2026-11-24 00:10"), of=of)).claimed
    assert taken.rendered_sms is not None
    assert taken.rendered_sms.text == "We open at 09:30."


@pytest.mark.parametrize(
    ("template", "is_sent"),
    [
        (None, True),
        ("You voted for {#var#}.", True),
        ("You voted for {#var#}!", False),
        ("You voted", False),
        ("You voted for {#alphanumeric#}.", True),
        ("You voted for {#numeric#}.", False),
        ("You voted for {#url#}.", False),
    ],
)
async def test_what_is_not_the_registered_text_is_refused_without_an_attempt(
    store: Store, template: str | None, is_sent: bool
) -> None:
    of = texting("You voted for {option}.", template)
    await admit_calls(store, call(), of=of)
    claims = await claim_actions(store, 2, of=of)
    assert bool(claims.claimed) == is_sent
    (kept,) = await rows(store, "SELECT state, outcome, reason, placed_at IS NULL FROM actions WHERE id = 2")
    attempts = await rows(store, "SELECT count(*) FROM attempts")
    if is_sent:
        assert (kept[0], attempts) == ("attempting", [(1,)])
    else:
        assert (kept, attempts) == (("done", "refused", Reason.TEMPLATE_MISMATCH, True), [(0,)])
        assert [(each.reason, each.timer) for each in claims.stopped] == [(Reason.TEMPLATE_MISMATCH, None)]


async def test_a_value_that_portals_differ_about_goes_out(store: Store) -> None:
    of = texting("{caller} rang at {time}.", "{#alphanumeric#} rang at {#alphanumeric#}.")
    await admit_calls(store, call(), of=of)
    (taken,) = (await claim_actions(store, 2, of=of)).claimed
    assert taken.rendered_sms is not None
    assert taken.rendered_sms.text == f"{CALLER} rang at 12:00."


async def test_a_refused_text_leaves_the_budget_to_the_next(store: Store) -> None:
    of = texting("Hi", "Ho")
    await admit_calls(store, call("c1"), call("c2", caller="+919800000001"), of=of)
    claims = await claim_actions(store, 2, 4, of=of, limit=1)
    assert (len(claims.stopped), claims.unjudged_ids) == (2, ())
    assert await actions(store, "kind, outcome") == [("vote", "recorded"), ("sms", "refused")] * 2
