"""Suppressions on disk: by prefix, by what a refusal taught, and those of a database from before that."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from missedd.base.clock import to_us
from missedd.core.explain.number import explain_number
from missedd.core.model import Kind, Outcome
from missedd.core.pagination import Query
from missedd.core.people.suppression import BLOCKS_CALLS, BLOCKS_PROMOTIONAL_SMS, RefusedSmsClass
from missedd.core.policy import MessageClass
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused
from missedd.store.people.suppressions import _IN_FORCE, suppress, suppress_after_refusal, unsuppress
from missedd.store.reads.reader import suppressions
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    INDIA,
    NOON,
    OTHER,
    call,
    callback,
    campaign,
    minutes,
    policy,
    seconds,
    sms,
)
from tests.store.database import MIGRATIONS
from tests.store.steps import (
    DUE,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    report_outcome,
    rows,
    verdict_texts,
)

BOTH = policy(campaign(callback=callback(), sms=sms(), lead_source="x", dedup_window=seconds(0)))
REFUSED = Refused(False, "403", Reason.DO_NOT_DISTURB)
DAY = minutes(24 * 60)


async def test_what_the_register_refuses_ends_with_the_next_call(store: Store) -> None:
    await admit_calls(store, call("c1"), of=BOTH)
    await claim_actions(store, 3, of=BOTH)
    await answer_action(store, REFUSED, 3)
    assert await rows(store, "SELECT channel, class, reason, source FROM suppressions") == [
        ("calls", "", "do-not-disturb", "provider")
    ]
    later = NOON + minutes(90)
    (again,) = await admit_calls(store, call("c2", later), of=BOTH, at=later)
    assert again.admission.verdict == "accepted"
    assert [(each.kind, each.reason) for each in again.admission.actions] == [
        (Kind.LEAD, Reason.RECORDED_AT_ONCE),
        (Kind.SMS, Reason.OWED),
        (Kind.CALLBACK, Reason.OWED),
    ]
    assert await rows(store, "SELECT * FROM suppressions") == []
    assert len((await claim_actions(store, 6, at=later + seconds(30), of=BOTH)).claimed) == 1


async def test_until_then_nobody_is_called_and_all_else_goes_on(store: Store) -> None:
    await store.write(
        partial(
            suppress_after_refusal, number=CALLER, restriction=BLOCKS_CALLS, reason="do-not-disturb", now=NOON
        )
    )
    # It rang before the refusal and is told of late: it is not the next call.
    (late,) = await admit_calls(store, call("c0", NOON - minutes(3)), of=BOTH, at=NOON)
    assert [(each.kind, each.reason) for each in late.admission.actions] == [
        (Kind.LEAD, Reason.RECORDED_AT_ONCE),
        (Kind.SMS, Reason.OWED),
        (Kind.CALLBACK, Reason.DO_NOT_DISTURB),
    ]
    assert len(await rows(store, "SELECT * FROM suppressions")) == 1


async def test_a_callback_that_waits_is_judged_by_the_register_too(store: Store) -> None:
    await admit_calls(store, call("c1"), of=BOTH)
    await store.write(
        partial(
            suppress_after_refusal, number=CALLER, restriction=BLOCKS_CALLS, reason="x", now=NOON + seconds(1)
        )
    )
    claims = await claim_actions(store, 2, 3, of=BOTH)
    assert [each.action.kind for each in claims.claimed] == [Kind.SMS]
    assert [(each.reason, each.outcome) for each in claims.stopped] == [
        (Reason.DO_NOT_DISTURB, Outcome.DROPPED)
    ]
    # Thirty days later it may be another's number.
    month = NOON + 31 * DAY
    await admit_calls(store, call("c2", caller=OTHER), of=BOTH, at=month)
    assert (await rows(store, "SELECT until_at - since_at FROM suppressions")) == [
        (to_us(NOON + 30 * DAY) - to_us(NOON),)
    ]


async def test_a_refused_promotion_bars_promotions_only(store: Store) -> None:
    promotion = campaign(name="offers", sms=sms(message_class=MessageClass.PROMOTIONAL, sender="600123"))
    clinic = campaign(name="clinic", exophones=("+918047120002",), sms=sms(sender="CLINIC"))
    of = policy(promotion, clinic)
    await admit_calls(store, call("c1"), of=of)
    await claim_actions(store, 1, at=NOON, of=of)
    await answer_action(store, Accepted("sms-1"), kind=Kind.SMS)
    await report_outcome(
        store,
        Outcome.FAILED,
        sid="sms-1",
        kind=Kind.SMS,
        refused=RefusedSmsClass.PROMOTIONAL,
        code="23005",
        of=of,
    )
    at = NOON + minutes(30)
    found = await admit_calls(store, call("c2", at), call("c3", at, dialled=("+918047120002",)), of=of, at=at)
    assert verdict_texts(found) == ["accepted", "accepted"]
    assert await actions(store) == [
        ("done", "failed", "sms-failed"),
        ("done", "dropped", "refuses-sms"),
        ("planned", None, "owed"),
    ]


async def test_an_opting_out_of_one_sender_bars_that_sender(store: Store) -> None:
    other = campaign(name="b", exophones=("+918047120002",), sms=sms(sender="OTHERS"))
    of = policy(campaign(sms=sms()), other)
    await admit_calls(store, call("c1"), of=of)
    await claim_actions(store, 1, at=NOON, of=of)
    await answer_action(store, Accepted("sms-1"), kind=Kind.SMS)
    await report_outcome(
        store, Outcome.FAILED, sid="sms-1", kind=Kind.SMS, refused=RefusedSmsClass.SENDER, code="23020", of=of
    )
    assert await rows(store, "SELECT channel, class, sender, reason, until_at FROM suppressions") == [
        ("sms", "sender", "EXAMPL", "sms 23020", None)
    ]
    at = NOON + minutes(30)
    await admit_calls(store, call("c2", at), call("c3", at, dialled=("+918047120002",)), of=of, at=at)
    assert (await actions(store))[1:] == [("done", "dropped", "refuses-sms"), ("planned", None, "owed")]


async def test_several_lessons_stand_beside_each_other_and_are_lifted_together(store: Store) -> None:
    for bar in (BLOCKS_PROMOTIONAL_SMS, BLOCKS_CALLS):
        await store.write(
            partial(suppress_after_refusal, number=CALLER, restriction=bar, reason="x", now=NOON)
        )
    await store.write(partial(suppress, number=CALLER, reason="asked", source="api", now=NOON, until=None))
    shown = (await store.read(partial(suppressions, query=Query(number=CALLER)))).items
    assert {(each.channel, each.class_, each.source) for each in shown} == {
        ("all", None, "api"),
        ("calls", None, "provider"),
        ("sms", "promotional", "provider"),
    }
    assert await store.write(partial(unsuppress, number=CALLER))
    assert await rows(store, "SELECT * FROM suppressions") == []


async def test_a_prefix_suppresses_all_that_begin_so(store: Store) -> None:
    sierra, somalia = "+23276123456", "+252612345678"
    await store.write(partial(suppress, number="+232*", reason="fraud", source="cli", now=NOON, until=None))
    found = await admit_calls(
        store, call("c1", caller=sierra), call("c2", caller=somalia), call("c3"), of=BOTH
    )
    assert verdict_texts(found) == ["suppressed", "accepted", "accepted"]
    # What was owed before is judged by it too.
    await store.write(partial(suppress, number="+9198*", reason="x", source="cli", now=NOON, until=None))
    claims = await claim_actions(store, *(each[0] for each in await actions(store, "id")), of=BOTH)
    assert claims.claimed == ()
    assert {each.reason for each in claims.stopped} == {Reason.SUPPRESSED_SINCE}
    shown = (await store.read(partial(suppressions, query=Query(number=sierra)))).items
    assert [each.number for each in shown] == ["+232*"]
    assert explain_number(shown, [], NOON, INDIA).startswith(
        "This number is not contacted (by the prefix +232*): suppressed on the command line"
    )
    assert (await store.read(partial(suppressions, query=Query(number="+232*")))).items == shown
    assert (await store.read(partial(suppressions, query=Query(number=somalia)))).items == []
    assert not await store.write(partial(unsuppress, number=sierra))
    assert await store.write(partial(unsuppress, number="+232*"))
    at = NOON + minutes(10)
    assert verdict_texts(await admit_calls(store, call("c4", at, caller=sierra), of=BOTH, at=at)) == [
        "accepted"
    ]


async def test_a_prefix_ends_when_it_was_said_to(store: Store) -> None:
    until = NOON + minutes(1)
    await store.write(partial(suppress, number="+91*", reason="x", source="api", now=NOON, until=until))
    assert verdict_texts(await admit_calls(store, call("c1"), of=BOTH)) == ["suppressed"]
    assert verdict_texts(await admit_calls(store, call("c2", until), of=BOTH, at=until)) == ["accepted"]


@pytest.mark.sqlite
async def test_without_prefixes_they_cost_a_look_into_an_empty_index(store: Store) -> None:
    plan = await rows(store, f"EXPLAIN QUERY PLAN {_IN_FORCE}", "[]", 0, 0)
    assert any("suppressed_prefixes" in str(step) for step in plan)
    assert not any("SCAN suppressions" in str(step) and "USING" not in str(step) for step in plan)


@pytest.mark.parametrize(
    ("channel", "reason", "attempted", "expected"),
    [
        ("all", "do-not-disturb", "callback", ("calls", "", 30 * 86_400 * 1_000_000)),
        ("all", "do-not-disturb", None, ("calls", "", 30 * 86_400 * 1_000_000)),
        ("all", "do-not-disturb", "sms", ("sms", "promotional", None)),
        ("sms", "sms 23005", None, ("sms", "promotional", None)),
        ("sms", "sms None", None, ("sms", "promotional", None)),
        ("sms", "sms 23020", None, ("sms", "", None)),
    ],
)
def test_what_was_learned_before_there_were_classes_keeps_a_sensible_meaning(
    tmp_path: Path, channel: str, reason: str, attempted: str | None, expected: tuple[object, ...]
) -> None:
    since = to_us(NOON)
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as old:
        files = sorted(MIGRATIONS.glob("*.sql"))
        place = next(i for i, each in enumerate(files) if each.name.endswith("suppression_classes.sql"))
        for migration in files[:place]:
            old.executescript(migration.read_text())
        insert = """INSERT INTO suppressions (number, channel, reason, source, since_at, until_at)
                    VALUES (?, ?, ?, ?, ?, ?)"""
        old.execute(insert, (CALLER, channel, reason, "provider", since, None))
        old.execute(insert, (CALLER, "all", "asked", "api", since, None))
        if attempted is not None:
            old.execute(
                """INSERT INTO calls (id, call_sid, campaign, caller, exophone, called_at, received_at,
                                      verdict, reason, shape, fields)
                   VALUES (1, 'c1', 'a', ?, 'e', 0, 0, 'accepted', 'first-call', 'native', '{}')""",
                (CALLER,),
            )
            old.execute(
                """INSERT INTO actions (id, call_id, kind, campaign, number, exophone, state, outcome, reason,
                                        plan, base_at, due_at, created_at)
                   VALUES (1, 1, ?, 'a', ?, 'e', 'done', 'refused', 'do-not-disturb', 'open', 0, 0, 0)""",
                (attempted, CALLER),
            )
            old.execute(
                """INSERT INTO attempts (action_id, number, started_at, reason)
                   VALUES (1, 1, 0, 'do-not-disturb')"""
            )
        old.executescript(files[place].read_text())
        kept = old.execute(
            "SELECT channel, class, until_at - since_at FROM suppressions WHERE source = 'provider'"
        ).fetchall()
        assert kept == [expected]
        assert old.execute("SELECT channel, reason FROM suppressions WHERE source = 'api'").fetchall() == [
            ("all", "asked")
        ]


async def test_a_landline_is_never_texted(store: Store) -> None:
    (found,) = await admit_calls(store, call(caller="+912225551234"), of=BOTH)
    assert [(each.kind, each.reason) for each in found.admission.actions] == [
        (Kind.LEAD, Reason.RECORDED_AT_ONCE),
        (Kind.SMS, Reason.TAKES_NO_SMS),
        (Kind.CALLBACK, Reason.OWED),
    ]
    assert len((await claim_actions(store, 3, at=DUE, of=BOTH)).claimed) == 1
