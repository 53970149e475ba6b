"""Actions as rows and as values: read, inserted, and the timers that bring them back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Final, NamedTuple

from missedd.base.clock import from_us, to_us
from missedd.base.value_type import fast_dataclass
from missedd.core.analytics.figures import is_agent_miss
from missedd.core.model import LANE_BY_KIND, Admission, Kind, Lane, Outcome, Plan, PlannedAction, State
from missedd.core.reasons import Reason
from missedd.store.db.database import Database, Row
from missedd.store.db.json_values import compact_json


class Timer(NamedTuple):
    """When an action must be checked next, in microseconds since 1970 UTC.

    A plain tuple of numbers and a shared string: a timer heap may hold a million of them.
    """

    at_us: int
    action_id: int
    lane: Lane


def lane_of(kind: Kind, state: State) -> Lane:
    """The queue in which an action waits: its kind's, or the lookups' once its request is out."""
    return Lane.LOOKUP if state in (State.ATTEMPTING, State.PLACED) else LANE_BY_KIND[kind]


@fast_dataclass(frozen=True, slots=True)
class NewAction:
    action_id: int
    call_id: int
    number: str
    admission: Admission
    planned: PlannedAction


@fast_dataclass(frozen=True, slots=True)
class ActionRow:
    """An action as the engine works with it."""

    id: int
    call_id: int
    kind: Kind
    campaign: str
    number: str
    exophone: str
    state: State
    outcome: Outcome | None
    reason: Reason
    plan: Plan
    retry_index: int
    origin_id: int | None
    base_at: datetime
    due_at: datetime
    expires_at: datetime | None
    placed_at: datetime | None
    provider_sid: str | None
    lookup_count: int
    wake_at: datetime | None = None
    chain_at: datetime | None = None
    details: dict[str, str] = field(default_factory=dict)
    was_call_answered: bool = False
    """Whether somebody took the call after all for which the action is owed."""


def caller_id_of(action: ActionRow) -> str:
    """The ExoPhone from which a callback was or is made."""
    return action.details.get("caller_id", action.exophone)


_COLUMNS = """id, call_id, kind, campaign, number, exophone, state, outcome, reason, plan, retry_index,
origin_id, base_at, due_at, expires_at, placed_at, provider_sid, looks, wake_at, chain_at, details,
(SELECT c.reached_at IS NOT NULL FROM calls c WHERE c.id = actions.call_id)"""


def _instant(value: int | None) -> datetime | None:
    return None if value is None else from_us(value)


def parse_action(row: Row) -> ActionRow:
    """Turn a row of `_COLUMNS` into an action."""
    return ActionRow(
        id=row[0],
        call_id=row[1],
        kind=Kind(row[2]),
        campaign=row[3],
        number=row[4],
        exophone=row[5],
        state=State(row[6]),
        outcome=Outcome(row[7]) if row[7] is not None else None,
        reason=Reason(row[8]),
        plan=Plan(row[9]),
        retry_index=row[10],
        origin_id=row[11],
        base_at=from_us(row[12]),
        due_at=from_us(row[13]),
        expires_at=_instant(row[14]),
        placed_at=_instant(row[15]),
        provider_sid=row[16],
        lookup_count=row[17],
        wake_at=_instant(row[18]),
        chain_at=_instant(row[19]),
        details=json.loads(row[20]),
        was_call_answered=bool(row[21]),
    )


async def fetch_actions(db: Database, ids: Sequence[int]) -> list[ActionRow]:
    """The actions of `ids` that exist, in the order of `ids`."""
    rows = await db.fetch_all(
        f"SELECT {_COLUMNS} FROM actions WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",  # noqa: S608 - constant
        (json.dumps(list(ids)),),
    )
    actions = {row[0]: parse_action(row) for row in rows}
    return [actions[action_id] for action_id in ids if action_id in actions]


async def insert_actions(db: Database, actions: Sequence[NewAction], now: datetime) -> None:
    now_us = to_us(now)
    await db.executemany(
        """INSERT INTO actions (id, call_id, kind, campaign, number, exophone, state, outcome, reason, plan,
               retry_index, base_at, due_at, expires_at, wake_at, chain_at, details, created_at, closed_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [_action_values(action, now_us) for action in actions],
    )


def _action_values(new: NewAction, now_us: int) -> tuple[object, ...]:
    planned = new.planned
    is_done = planned.state is State.DONE
    due_us = to_us(planned.due_at)
    # Mostly `base_at` and `due_at` are one object, and every call has several actions.
    base_us = due_us if planned.base_at is planned.due_at else to_us(planned.base_at)
    wake_us = due_us if planned.next_check_at is None else to_us(planned.next_check_at)
    return (
        new.action_id,
        new.call_id,
        planned.kind,
        new.admission.campaign,
        new.number,
        new.admission.exophone,
        planned.state,
        planned.outcome,
        planned.reason,
        planned.plan,
        planned.retry_index,
        base_us,
        due_us,
        None if planned.expires_at is None else to_us(planned.expires_at),
        None if is_done else wake_us,
        None if planned.chain_at is None else to_us(planned.chain_at),
        compact_json(dict(planned.details)) if planned.details else "{}",
        now_us,
        now_us if is_done else None,
    )


async def load_placed_callbacks(
    db: Database, numbers: str, since: datetime
) -> list[tuple[str, str, datetime]]:
    """(number, campaign, placed_at) of the callbacks placed since `since`, which count against a cap.

    `numbers` is a JSON array. Callbacks that the agent missed do not count.
    """
    rows = await db.fetch_all(
        """SELECT number, campaign, placed_at, outcome, reason FROM actions
           WHERE number IN (SELECT value FROM json_each(?)) AND kind = 'callback' AND placed_at >= ?""",
        (numbers, to_us(since)),
    )
    return [
        (number, campaign, from_us(at))
        for number, campaign, at, outcome, reason in rows
        if not is_agent_miss(outcome, reason)
    ]


_IS_UNDELIVERED: Final = "a.kind = 'webhook' AND a.outcome IN ('failed', 'refused')"
_HAS_RESEND: Final = """EXISTS (
    SELECT 1 FROM actions later WHERE later.call_id = a.call_id AND later.id > a.id
      AND later.origin_id = coalesce(a.origin_id, a.id))"""
IS_PARKED: Final = f"{_IS_UNDELIVERED} AND NOT {_HAS_RESEND}"
IS_RESENT: Final = f"{_IS_UNDELIVERED} AND {_HAS_RESEND}"
