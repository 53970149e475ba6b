"""What became of a call: its whole trace, as the API and `missedd why` show it."""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from missedd.core.actions.details import details_json
from missedd.core.model import Kind
from missedd.core.people.erasure import lookup_key
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.db.json_values import iso_from_us, reason_words

CALLS_PER_NUMBER = 20
"""Calls of one number that its story tells: more than a person reads."""

CALL_COLUMNS = """c.id, c.call_sid, c.caller, c.exophone, c.campaign, c.called_at, c.received_at,
c.verdict, c.reason, c.redeliveries, c.shape, c.reached_at, c.reached_by"""

_VERIFICATION_ID = "(SELECT v.id FROM verifications v WHERE v.call_id = c.id)"
"""The verification that a call proved, if it proved one."""

ACTION_COLUMNS = """a.id, a.kind, a.state, a.outcome, a.due_at, a.reason, a.plan, a.placed_at, a.closed_at,
a.provider_sid, a.expires_at, a.retry_index, a.origin_id, a.settled_outcome, a.settled_at, a.settled_note,
a.answered_at, a.code, a.details"""


async def call_trace(db: ReadOnlyDatabase, call_sid: str) -> dict[str, Any] | None:
    """One call with its actions, their attempts and reports, oldest first; None if there is none."""
    rows = await db.fetch_all(
        f"SELECT {CALL_COLUMNS}, {_VERIFICATION_ID} FROM calls c WHERE c.call_sid = ?", (call_sid,)
    )
    stories = await _with_actions(db, rows)
    return stories[0] if stories else None


async def trace_of_own_call(db: ReadOnlyDatabase, provider_sid: str) -> dict[str, Any] | None:
    """The story of the call that an action with this Sid at the provider is owed for, or None."""
    rows = await db.fetch_all(
        "SELECT c.call_sid FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.provider_sid = ? LIMIT 1",
        (provider_sid,),
    )
    return await call_trace(db, rows[0][0]) if rows else None


async def number_trace(
    db: ReadOnlyDatabase, number: str, limit: int = CALLS_PER_NUMBER
) -> list[dict[str, Any]]:
    """The latest calls of a number in any spelling, newest first, each as `call_trace` tells it.

    A pseudonym has those of the number that was erased; an unusable spelling has none.
    """
    rows = await db.fetch_all(
        f"""SELECT {CALL_COLUMNS}, {_VERIFICATION_ID} FROM calls c
            WHERE c.caller = ? ORDER BY c.called_at DESC, c.id DESC LIMIT ?""",
        (lookup_key(number), limit),
    )
    return await _with_actions(db, rows)


def call_json(row: Sequence[Any]) -> dict[str, Any]:
    """A row of `CALL_COLUMNS` as JSON, without its actions."""
    return {
        "call_sid": row[1],
        "from": row[2],
        "to": row[3],
        "campaign": row[4],
        "called_at": iso_from_us(row[5]),
        "received_at": iso_from_us(row[6]),
        "verdict": row[7],
        "reason": row[8],
        "reason_words": reason_words(row[8]),
        "shape": row[10],
        "redeliveries": row[9],
        "reached_at": iso_from_us(row[11]),
        "reached_by": row[12],
    }


def action_json(row: Sequence[Any]) -> dict[str, Any]:
    """A row of `ACTION_COLUMNS` as JSON, without its attempts and reports."""
    return {
        "id": row[0],
        "kind": row[1],
        "state": row[2],
        "outcome": row[3],
        "due_at": iso_from_us(row[4]),
        "reason": row[5],
        "reason_words": reason_words(row[5]),
        "plan": row[6],
        "placed_at": iso_from_us(row[7]),
        "closed_at": iso_from_us(row[8]),
        "provider_sid": row[9],
        "expires_at": iso_from_us(row[10]),
        "retry_index": row[11],
        "origin": row[12],
        "settled_outcome": row[13],
        "settled_at": iso_from_us(row[14]),
        "settled_note": row[15],
        "answered_at": iso_from_us(row[16]),
        "code": row[17],
        **details_json(json.loads(row[18])),
    }


async def _with_actions(db: ReadOnlyDatabase, calls: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """The stories of these calls, in their order: a handful of queries, however many there are."""
    if not calls:
        return []
    stories = {row[0]: call_json(row) | {"verification": row[-1], "actions": []} for row in calls}
    wanted = (json.dumps(list(stories)),)
    actions = {}
    for row in await db.fetch_all(
        f"""SELECT {ACTION_COLUMNS}, a.call_id FROM actions a
            WHERE a.call_id IN (SELECT value FROM json_each(?)) ORDER BY a.id""",
        wanted,
    ):
        action: dict[str, Any] = action_json(row) | {"vote": None, "attempts": [], "reports": []}
        actions[row[0]] = action
        stories[row[-1]]["actions"].append(action)
    wanted = (json.dumps(list(actions)),)
    if any(each["kind"] == Kind.VOTE for each in actions.values()):
        for action_id, poll, option, standing in await db.fetch_all(_VOTES, wanted):
            actions[action_id]["vote"] = {"poll": poll, "option": option, "standing": standing}
    for row in await db.fetch_all(
        """SELECT action_id, number, started_at, finished_at, result, code, reason, provider_sid, message
           FROM attempts WHERE action_id IN (SELECT value FROM json_each(?)) ORDER BY action_id, number""",
        wanted,
    ):
        actions[row[0]]["attempts"].append(_attempt_json(row))
    for row in await db.fetch_all(
        """SELECT action_id, received_at, source, status, code, provider_sid, effect
           FROM reports WHERE action_id IN (SELECT value FROM json_each(?)) ORDER BY id""",
        wanted,
    ):
        actions[row[0]]["reports"].append(_report_json(row))
    return list(stories.values())


_VOTES = """
SELECT a.id, v.poll, v.option, v.standing FROM actions a JOIN calls c ON c.id = a.call_id
JOIN votes v ON v.poll = a.details ->> '$.poll' AND v.number = a.number
            AND v.standing IN ('counted', 'surplus', 'replaced', 'early', 'late')
            AND v.called_at = c.called_at AND v.call_sid = c.call_sid
WHERE a.id IN (SELECT value FROM json_each(?)) AND a.kind = 'vote'"""
"""How the votes stand now. A voter may have thousands: all that the key begins with is said."""


def _attempt_json(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "number": row[1],
        "started_at": iso_from_us(row[2]),
        "finished_at": iso_from_us(row[3]),
        "result": row[4],
        "code": row[5],
        "reason": row[6],
        "reason_words": reason_words(row[6]),
        "provider_sid": row[7],
        "message": row[8],
    }


def _report_json(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "received_at": iso_from_us(row[1]),
        "source": row[2],
        "status": row[3],
        "code": row[4],
        "provider_sid": row[5],
        "effect": row[6],
    }
