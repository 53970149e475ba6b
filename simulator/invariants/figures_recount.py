"""Recounts the analytics from the raw tables, row by row and in plain Python.

The recount shares only the tables and the definitions in docs/analytics.md with the daemon.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MISSED = ("accepted", "duplicate", "suppressed", "no-caller-id")
AGENT_MISSED = ("agent-busy", "agent-no-answer", "agent-failed")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US = timedelta(microseconds=1)


type FetchRows = Callable[[str], Awaitable[list[tuple[Any, ...]]]]
"""Runs a SELECT and returns its rows."""


async def recount_analytics(
    rows: FetchRows, campaign: str | None, since: datetime | None, until: datetime | None, timezone: str
) -> dict[str, Any]:
    def counts(name: str | None, at: int) -> bool:
        return (
            name is not None
            and campaign in (None, name)
            and (since is None or at >= (since - EPOCH) // US)
            and (until is None or at < (until - EPOCH) // US)
        )

    calls = {
        row[0]: row
        for row in await rows("SELECT id, campaign, caller, called_at, verdict, reason, shape FROM calls")
        if counts(row[1], row[3])
    }
    missed = [row for row in calls.values() if row[4] in MISSED]
    chains = await _first_call_times(rows)
    actions = [
        (*row[1:-1], calls[row[0]][3], chains.get(row[-1], calls[row[0]][3]))
        for row in await rows(
            """SELECT call_id, kind, state, outcome, settled_outcome, reason, code, retry_index, placed_at,
                      answered_at, id FROM actions"""
        )
        if row[0] in calls
    ]
    leads = [
        converted is not None
        for name, at, converted in await rows("SELECT campaign, first_seen_at, converted_at FROM leads")
        if counts(name, at)
    ]
    conversions = [1 for name, at in await rows("SELECT campaign, at FROM conversions") if counts(name, at)]
    return {
        "total_calls": len(missed),
        "unique_callers": len({row[2] for row in missed if row[2] is not None}),
        "recovered": sum(row[6] == "recovered" for row in missed),
        "leads": len(leads),
        "conversions": len(conversions),
        "conversion_rate": _rate(sum(leads), len(leads)),
        "verdicts": [
            {"verdict": verdict, "reason": reason, "calls": n}
            for (verdict, reason), n in sorted(Counter((row[4], row[5]) for row in calls.values()).items())
        ],
        **_recount_actions(actions),
        **_recount_times([row[3] for row in missed], timezone),
    }


async def _first_call_times(rows: FetchRows) -> dict[int, int]:
    """By action id, the time of the earliest call that a callback answers, in microseconds.

    A callback answers its own call and the calls of the callbacks that it replaced.
    """
    since: dict[int, int] = {}
    callbacks = await rows(
        """SELECT a.id, c.called_at, a.retry_index, CAST(a.details ->> 'replaced_by' AS BIGINT), a.origin_id
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.kind = 'callback' ORDER BY a.id"""
    )
    before: defaultdict[int, list[int]] = defaultdict(list)
    own = {action_id: called_at for action_id, called_at, *_ in callbacks}
    for action_id, _, retry_index, replaced_by, origin_id in callbacks:
        if replaced_by is not None and retry_index == 0:
            before[replaced_by].append(action_id)
        if origin_id in own and retry_index == 0:
            before[action_id].append(origin_id)  # the next agent for the same caller

    def earliest(action_id: int) -> int:
        if action_id not in since:
            since[action_id] = min([own[action_id], *map(earliest, before[action_id])])
        return since[action_id]

    return {action_id: earliest(action_id) for action_id in own}


def _recount_actions(actions: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    def final(row: tuple[Any, ...]) -> str | None:
        outcome: str | None = row[3] if row[3] is not None else row[2]
        return outcome

    def placed(kind: str) -> list[tuple[Any, ...]]:
        return [row for row in actions if row[0] == kind and row[7] is not None and not missed(row)]

    def missed(row: tuple[Any, ...]) -> bool:
        return row[0] == "callback" and row[2] == "failed" and row[4] in AGENT_MISSED

    def reasons(kind: str, with_code: bool) -> list[dict[str, Any]]:
        found = Counter(
            (final(row), "settled-by-operator" if row[3] else row[4], *([row[5]] if with_code else []))
            for row in actions
            if row[0] == kind and row[1] == "done"
        )
        names = ("outcome", "reason", "code")
        return [
            dict(zip(names, key, strict=False)) | {"count": n}
            for key, n in sorted(found.items(), key=lambda each: [part or "" for part in each[0]])
        ]

    def waits(which: int, since: int, rows: Iterable[tuple[Any, ...]]) -> dict[str, float | None]:
        seconds = sorted(max(0, row[which] - row[since]) / 1e6 for row in rows if row[which] is not None)
        return {"median": _nearest_rank(seconds, 50), "p95": _nearest_rank(seconds, 95)}

    callbacks, texts = placed("callback"), placed("sms")
    answered = sum(final(row) == "answered" for row in callbacks)
    delivered = sum(final(row) == "delivered" for row in texts)
    alike = Counter((row[0], row[1], final(row) or "") for row in actions)
    return {
        "callbacks_made": len(callbacks),
        "callbacks_answered": answered,
        "callback_success_rate": _rate(answered, sum(row[1] == "done" for row in callbacks)),
        "agent_misses": sum(map(missed, actions)),
        "callback_outcomes": reasons("callback", with_code=False),
        "sms_sent": len(texts),
        "sms_delivered": delivered,
        "sms_delivery_rate": _rate(delivered, sum(row[1] == "done" for row in texts)),
        "sms_by_reason": reasons("sms", with_code=True),
        "actions": [
            {"kind": kind, "state": state, "outcome": outcome or None, "count": n}
            for (kind, state, outcome), n in sorted(alike.items())
        ],
        "seconds_to_callback": waits(7, 10, (row for row in callbacks if row[6] == 0)),
        "seconds_to_answer": waits(
            8, 9, (row for row in actions if row[0] == "callback" and row[2] == "answered")
        ),
    }


def _recount_times(instants: Sequence[int], timezone: str) -> dict[str, Any]:
    local = [(EPOCH + at * US).astimezone(ZoneInfo(timezone)) for at in instants]
    hours = Counter(at.hour for at in local)
    week = Counter((at.weekday(), at.hour) for at in local)
    days = Counter(at.date() for at in local)
    span = (max(days) - min(days)).days + 1 if days else 0
    dates = [min(days) + timedelta(days=i) for i in range(span)] if days else []
    return {
        "peak_hours": [{"hour": hour, "calls": hours[hour]} for hour in range(24)],
        "weekday_hours": [
            {"weekday": day, "hour": hour, "calls": week[day, hour]} for day in range(7) for hour in range(24)
        ],
        "by_day": [{"date": day.isoformat(), "calls": days[day]} for day in dates],
    }


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _nearest_rank(values: Sequence[float], percent: int) -> float | None:
    return values[math.ceil(len(values) * percent / 100) - 1] if values else None


def differences(reported: dict[str, Any], counted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The values that differ: waiting times by more than 2 % plus 0.1 s, all others by any amount."""
    return {
        name: (reported[name], counted[name])
        for name in sorted(reported.keys() | counted.keys())
        if not _agree(reported.get(name), counted.get(name), is_time=name.startswith("seconds_"))
    }


def _agree(reported: Any, counted: Any, *, is_time: bool) -> bool:
    if not is_time:
        return bool(reported == counted)
    return reported.keys() == counted.keys() and all(
        (reported[name] is None) == (counted[name] is None)
        and (reported[name] is None or abs(reported[name] - counted[name]) <= 0.02 * counted[name] + 0.1)
        for name in reported
    )
