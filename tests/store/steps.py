"""The units of work with their everyday arguments, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from missedd.core.model import InboundCall, Kind, Outcome, StatusReport
from missedd.core.policy import Policy
from missedd.core.suppression import Class
from missedd.engine.results import settle
from missedd.exotel.answers import Answer
from missedd.store.admit import Admitted, admit
from missedd.store.claims import Claims, claim
from missedd.store.outcomes import Applied, Meaning, apply_report
from missedd.store.results import record
from missedd.store.rows import ActionRow, Wake
from missedd.store.store import Store
from tests.core.campaigns import NOON, callback, campaign, policy, seconds

CALLBACKS = policy(campaign(callback=callback()))
DUE = NOON + seconds(30)


async def rows(store: Store, sql: str, *params: object) -> list[tuple[Any, ...]]:
    return await store.read(lambda db: db.fetch_all(sql, params))


async def actions(store: Store, columns: str = "state, outcome, reason") -> list[tuple[Any, ...]]:
    return await rows(store, f"SELECT {columns} FROM actions ORDER BY id")


async def admitted(
    store: Store, *calls: InboundCall, of: Policy = CALLBACKS, at: datetime = NOON
) -> list[Admitted]:
    return await store.write(partial(admit, calls=calls, policy=of, received_at=at))


async def claimed(
    store: Store, *ids: int, at: datetime = DUE, of: Policy = CALLBACKS, limit: int = 64
) -> Claims:
    unit = partial(claim, ids=ids, policy=of, now=at, limit=limit)
    return await store.write(unit)


async def answered(
    store: Store,
    answer: Answer,
    action_id: int = 1,
    attempt: int = 1,
    at: datetime = DUE + timedelta(seconds=1),
    kind: Kind = Kind.CALLBACK,
) -> Wake | None:
    result = settle(answer, kind, attempt, at, Random(1)).result
    return await store.write(partial(record, action_id=action_id, attempt=attempt, result=result, now=at))


async def reported(
    store: Store,
    outcome: Outcome | None,
    action_id: int = 1,
    *,
    sid: str = "sid-1",
    kind: Kind = Kind.CALLBACK,
    at: datetime = DUE + timedelta(seconds=40),
    of: Policy = CALLBACKS,
    refused: Class | None = None,
    answered_at: datetime | None = None,
    code: str | None = None,
) -> Applied:
    def read(_action: ActionRow, _report: StatusReport) -> Meaning:
        return Meaning(outcome, refused, answered_at)

    report = StatusReport(sid, str(outcome), code, fields={"Status": str(outcome)})
    unit = partial(apply_report, action_id=action_id, kind=kind, report=report, read=read, policy=of, now=at)
    return await store.write(unit)


def verdicts(found: Sequence[Admitted]) -> list[str]:
    return [str(each.admission.verdict) for each in found]
