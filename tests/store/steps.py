"""The units of work with their everyday arguments, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from missedd.base.clock import from_us
from missedd.core.model import InboundCall, Kind, Outcome, StatusReport
from missedd.core.people.suppression import RefusedSmsClass
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import interpret_answer
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.attempts import record_attempt_result
from missedd.store.actions.claims import ClaimedAction, ClaimResult, claim
from missedd.store.actions.lookups import LookupResult, record_failed_lookup
from missedd.store.actions.rows import ActionRow, Timer
from missedd.store.actions.status_reports import ReportMeaning, ReportResult, apply_report
from missedd.store.admission.admit import admit
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.store import Store
from tests.core.campaigns import NOON, call, callback, campaign, policy, seconds

CALLBACKS = policy(campaign(callback=callback()))
DUE = NOON + seconds(30)
LOST = Unknown("read-timeout")
TAKEN = Accepted("sid-1")
BUSY = Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=10)


async def rows(store: Store, sql: str, *params: object) -> list[tuple[Any, ...]]:
    return await store.read(lambda db: db.fetch_all(sql, params))


async def actions(store: Store, columns: str = "state, outcome, reason") -> list[tuple[Any, ...]]:
    return await rows(store, f"SELECT {columns} FROM actions ORDER BY id")


async def admit_calls(
    store: Store, *calls: InboundCall, of: Policy = CALLBACKS, at: datetime = NOON
) -> list[AdmittedCall]:
    return await store.write(partial(admit, calls=calls, policy=of, received_at=at))


async def claim_actions(
    store: Store, *ids: int, at: datetime = DUE, of: Policy = CALLBACKS, limit: int = 64
) -> ClaimResult:
    unit = partial(claim, ids=ids, policy=of, now=at, limit=limit)
    return await store.write(unit)


async def record_answer(
    store: Store,
    answer: Answer,
    action_id: int = 1,
    attempt: int = 1,
    at: datetime = DUE + timedelta(seconds=1),
    kind: Kind = Kind.CALLBACK,
    of: Policy = CALLBACKS,
) -> tuple[Timer, ...]:
    """An answer to a request, and all that is to be woken for since."""
    result = interpret_answer(answer, kind, attempt, at, Random(1)).result
    unit = partial(
        record_attempt_result, action_id=action_id, attempt=attempt, result=result, policy=of, now=at
    )
    return await store.write(unit)


async def answer_action(
    store: Store,
    answer: Answer,
    action_id: int = 1,
    attempt: int = 1,
    at: datetime = DUE + timedelta(seconds=1),
    kind: Kind = Kind.CALLBACK,
    of: Policy = CALLBACKS,
) -> Timer | None:
    """The wake of the action itself, if it goes on."""
    wakes = await record_answer(store, answer, action_id, attempt, at, kind, of)
    return next((wake for wake in wakes if wake.action_id == action_id), None)


async def placed(store: Store, answer: Answer = TAKEN) -> None:
    """One callback, claimed when it was due, and its answer a second later."""
    await admit_calls(store, call())
    await claim_actions(store, 1)
    await answer_action(store, answer)


async def report_outcome(
    store: Store,
    outcome: Outcome | None,
    action_id: int = 1,
    *,
    sid: str = "sid-1",
    kind: Kind = Kind.CALLBACK,
    at: datetime = DUE + timedelta(seconds=40),
    of: Policy = CALLBACKS,
    refused: RefusedSmsClass | None = None,
    answered_at: datetime | None = None,
    ended_at: datetime | None = None,
    reason: Reason | None = None,
    agent_came: bool = False,
    code: str | None = None,
) -> ReportResult:
    def read(_action: ActionRow, _report: StatusReport) -> ReportMeaning:
        return ReportMeaning(outcome, refused, answered_at, ended_at, agent_came, reason)

    report = StatusReport(sid, str(outcome), code, fields={"Status": str(outcome)})
    unit = partial(
        apply_report, action_id=action_id, kind=kind, report=report, interpret=read, policy=of, now=at
    )
    return await store.write(unit)


async def place_callback(
    store: Store, action_id: int = 1, *, at: datetime = DUE, of: Policy = CALLBACKS
) -> ClaimedAction:
    """A callback goes out, and its request is taken a second later; `end_callback` ends it."""
    (one,) = (await claim_actions(store, action_id, at=at, of=of)).claimed
    assert one.action.id == action_id, "no other goes in its place"
    await answer_action(store, Accepted(f"sid-{action_id}"), action_id, one.attempt, at + seconds(1), of=of)
    return one


async def end_callback(
    store: Store, outcome: Outcome, action_id: int = 1, *, at: datetime, of: Policy = CALLBACKS, **told: Any
) -> ReportResult:
    """The report of a callback that was placed."""
    return await report_outcome(store, outcome, action_id, sid=f"sid-{action_id}", at=at, of=of, **told)


async def lookup_until_expired(store: Store, action_id: int = 1, of: Policy = CALLBACKS) -> LookupResult:
    """Look for what became of it, in vain, each time that it wakes, until that is given up."""
    while True:
        ((wake_us,),) = await rows(store, "SELECT wake_at FROM actions WHERE id = ?", action_id)
        unit = partial(record_failed_lookup, action_id=action_id, policy=of, now=from_us(wake_us))
        looked = await store.write(unit)
        if looked.expired_reason is not None:
            return looked


def verdict_texts(found: Sequence[AdmittedCall]) -> list[str]:
    return [str(each.admission.verdict) for each in found]
