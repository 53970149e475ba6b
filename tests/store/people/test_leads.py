"""What becomes of a lead on disk: by its callbacks, by an operator's word; over both drivers."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Outcome
from missedd.core.pagination import Query
from missedd.core.people.leads import LeadStatus
from missedd.core.policy import Retries
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused, Unknown
from missedd.store.actions.operator_changes import resolve_unknown
from missedd.store.actions.quarantine import release_quarantine, start_quarantine
from missedd.store.people.leads import LeadStatusChange, set_lead_status
from missedd.store.people.suppressions import suppress
from missedd.store.reads.reader import lead, leads
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, OTHER, call, callback, campaign, minutes, policy, seconds
from tests.store.steps import (
    DUE,
    admit_calls,
    answer_action,
    claim_actions,
    lookup_until_expired,
    report_outcome,
    rows,
)

RETRIES = Retries(no_answer=(minutes(5),), busy=(minutes(5),), failed=(minutes(5),))
LEADS = policy(campaign(lead_source="missed_call", callback=callback(max_per_hour=9, retries=RETRIES)))
TALKED = DUE + seconds(40)


async def told(store: Store, columns: str = "status, callback_outcome, contacted_at") -> tuple[object, ...]:
    (row,) = await rows(store, f"SELECT {columns} FROM leads")
    return row


async def called_back(store: Store, outcome: Outcome, sid: str = "sid-1", action_id: int = 2) -> None:
    """The callback goes out when it is due, and ends."""
    await claim_actions(store, action_id, of=LEADS)
    await answer_action(store, Accepted(sid), action_id)
    await report_outcome(store, outcome, action_id, sid=sid, of=LEADS)


async def test_a_new_lead_waits(store: Store) -> None:
    await admit_calls(store, call(), of=LEADS)
    assert await told(store) == ("new", None, None)
    assert await told(store, "updated_at, last_seen_at, count") == (to_us(NOON), to_us(NOON), 1)


async def test_an_answered_callback_is_a_contact(store: Store) -> None:
    await admit_calls(store, call(), of=LEADS)
    await called_back(store, Outcome.ANSWERED)
    assert await told(store) == ("contacted", "answered", to_us(TALKED))
    assert await told(store, "updated_at") == (to_us(TALKED),)


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED])
async def test_an_unanswered_one_is_only_told(store: Store, outcome: Outcome) -> None:
    await admit_calls(store, call(), of=LEADS)
    await called_back(store, outcome)
    assert await told(store) == ("new", outcome, None)
    # Its retry is answered.
    await claim_actions(store, 3, at=DUE + minutes(10), of=LEADS)
    await answer_action(store, Accepted("sid-2"), 3, at=DUE + minutes(10))
    await report_outcome(store, Outcome.ANSWERED, 3, sid="sid-2", at=DUE + minutes(11), of=LEADS)
    assert await told(store) == ("contacted", "answered", to_us(DUE + minutes(11)))


async def test_what_a_gate_ends_says_less_than_what_was_placed(store: Store) -> None:
    await admit_calls(store, call(), of=LEADS)
    await called_back(store, Outcome.BUSY)
    await store.write(partial(suppress, number=CALLER, reason="asked", source="api", now=NOON, until=None))
    await claim_actions(store, 3, at=DUE + minutes(10), of=LEADS)
    assert await rows(store, "SELECT outcome FROM actions WHERE id = 3") == [("dropped",)]
    assert await told(store, "callback_outcome") == ("busy",)


async def test_a_callback_dropped_when_it_was_planned_is_told(store: Store) -> None:
    strict = policy(campaign(lead_source="x", callback=callback(give_up_after=minutes(1))))
    await admit_calls(store, call(at=NOON - timedelta(hours=1)), of=strict)
    assert await told(store) == ("new", "expired", None)


async def test_a_refused_one_is_told(store: Store) -> None:
    await admit_calls(store, call(), of=LEADS)
    await claim_actions(store, 2, of=LEADS)
    await answer_action(store, Refused(False, "403", Reason.PROVIDER_REFUSED), 2)
    assert await told(store) == ("new", "refused", None)


async def test_what_was_settled_is_told(store: Store) -> None:
    await admit_calls(store, call(), of=LEADS)
    await claim_actions(store, 2, of=LEADS)
    await answer_action(store, Unknown("read-timeout"), 2)
    await lookup_until_expired(store, 2)
    assert await told(store) == ("new", "unknown", None)
    at = DUE + timedelta(hours=1)
    await store.write(
        partial(resolve_unknown, action_id=2, outcome=Outcome.ANSWERED, note=None, policy=LEADS, now=at)
    )
    assert await told(store) == ("contacted", "answered", to_us(at))


async def test_what_is_dropped_after_a_restore_is_told(store: Store) -> None:
    await admit_calls(store, call(), of=LEADS)
    await store.write(partial(start_quarantine, now=DUE))
    await store.write(partial(release_quarantine, now=DUE, drop=True))
    assert await told(store) == ("new", "dropped", None)


async def test_other_campaigns_and_other_people_hear_nothing(store: Store) -> None:
    both = policy(
        campaign(lead_source="x", callback=callback()),
        campaign(name="care", exophones=("+918047120002",), lead_source="x"),
    )
    await admit_calls(
        store, call(), call("c2", dialled=("+918047120002",)), call("c3", caller=OTHER), of=both
    )
    await claim_actions(store, 2, of=both)
    await answer_action(store, Accepted("sid-1"), 2)
    await report_outcome(store, Outcome.ANSWERED, 2, of=both)
    assert await rows(store, "SELECT campaign, number, status FROM leads ORDER BY id") == [
        ("admissions", CALLER, "contacted"),
        ("care", CALLER, "new"),
        ("admissions", OTHER, "new"),
    ]


async def marked(
    store: Store, status: LeadStatus, at: datetime = NOON, lead_id: int = 1
) -> LeadStatusChange | None:
    return await store.write(partial(set_lead_status, lead_id=lead_id, status=status, now=at))


async def test_an_operator_may_say_any_of_the_three(store: Store) -> None:
    await admit_calls(store, call(), of=LEADS)
    later = NOON + minutes(3)
    assert await marked(store, LeadStatus.CONTACTED, later) == LeadStatusChange(LeadStatus.NEW)
    assert await told(store) == ("contacted", None, to_us(later))
    assert await marked(store, LeadStatus.CONVERTED, later + minutes(1)) == LeadStatusChange(
        LeadStatus.CONTACTED
    )
    assert await told(store, "status, contacted_at, converted_at") == ("converted", to_us(later), None)
    assert await marked(store, LeadStatus.NEW, later + minutes(2)) == LeadStatusChange(LeadStatus.CONVERTED)
    assert await told(store) == ("new", None, None)
    assert await told(store, "updated_at") == (to_us(later + minutes(2)),)
    assert await marked(store, LeadStatus.NEW, later + minutes(5)) == LeadStatusChange(LeadStatus.NEW)
    assert await told(store, "updated_at") == (to_us(later + minutes(2)),)
    assert await marked(store, LeadStatus.NEW, lead_id=9) is None
    # What happens later goes on from there.
    await called_back(store, Outcome.ANSWERED)
    assert await told(store) == ("contacted", "answered", to_us(TALKED))


async def test_lists_by_status_and_by_what_changed(store: Store) -> None:
    people = [f"+9198765432{n:02}" for n in range(5)]
    await admit_calls(store, *(call(f"c{n}", caller=each) for n, each in enumerate(people)), of=LEADS)
    await marked(store, LeadStatus.CONTACTED, NOON + minutes(1), lead_id=2)
    await marked(store, LeadStatus.CONVERTED, NOON + minutes(2), lead_id=1)

    async def ids(**wanted: object) -> list[int]:
        found, query = list[int](), Query(**wanted)  # type: ignore[arg-type]
        while True:
            page = await store.read(partial(leads, query=query))
            found += [each.id for each in page.items]
            if page.next is None:
                return found
            query = Query(**wanted | {"cursor": page.next})  # type: ignore[arg-type]

    assert await ids(status="new") == [5, 4, 3]
    assert await ids(status="converted") == [1]
    assert await ids(updated_since=NOON, limit=2) == [1, 2, 5, 4, 3]
    assert await ids(updated_since=NOON + seconds(1)) == [1, 2]
    assert await ids(updated_since=NOON, status="contacted", campaign="admissions") == [2]
    found = await store.read(partial(lead, lead_id=2))
    assert found is not None
    assert (found.status, found.contacted_at) == ("contacted", "2026-11-23T06:31:00.000Z")
    assert await store.read(partial(lead, lead_id=9)) is None
