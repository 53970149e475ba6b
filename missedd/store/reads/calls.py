"""What became of a call: its whole trace, as the API and `missedd why` show it."""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from missedd.core.actions.details import ACTION_DETAILS
from missedd.core.api_types.actions import ActionJson, AttemptJson, BriefActionJson, ReportJson, VoteJson
from missedd.core.api_types.calls import CallJson, StoryJson
from missedd.core.model import Kind
from missedd.core.people.erasure import lookup_key
from missedd.store.db.columns import Columns
from missedd.store.db.database import ReadOnlyDatabase

CALLS_PER_NUMBER = 20
"""Calls of one number that its story tells: more than a person reads."""

CALL_COLUMNS: Final = {"from_": "c.caller", "to": "c.exophone"}
CALL: Final = Columns(CallJson, "c", **CALL_COLUMNS)
_STORY: Final = Columns(
    StoryJson,
    "c",
    **CALL_COLUMNS,
    # The verification that the call proved, if it proved one.
    verification="(SELECT v.id FROM verifications v WHERE v.call_id = c.id)",
    given=("actions",),
)

ACTION_COLUMNS: Final = (
    {"origin": "a.origin_id"}
    | {fact.name: f"a.details ->> '{fact.name}'" for fact in ACTION_DETAILS}
    # What is kept as a text, and is a number.
    | {name: f"CAST(a.details ->> '{name}' AS BIGINT)" for name in ("talk_s", "replaced_by", "units")}
)
ACTION: Final = Columns(BriefActionJson, "a", **ACTION_COLUMNS)
_STORY_ACTION: Final = Columns(
    ActionJson, "a", **ACTION_COLUMNS, given=("vote", "attempts", "reports", "code_words")
)
_ATTEMPT: Final = Columns(AttemptJson, "t")
_REPORT: Final = Columns(ReportJson, "r")


async def call_trace(db: ReadOnlyDatabase, call_sid: str) -> StoryJson | None:
    """One call with its actions, their attempts and reports, oldest first; None if there is none."""
    rows = await db.fetch_all(f"SELECT c.id, {_STORY.sql} FROM calls c WHERE c.call_sid = ?", (call_sid,))
    stories = await _with_actions(db, rows)
    return stories[0] if stories else None


async def trace_of_own_call(db: ReadOnlyDatabase, provider_sid: str) -> StoryJson | None:
    """The story of the call that an action with this Sid at the provider is owed for, or None."""
    rows = await db.fetch_all(
        "SELECT c.call_sid FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.provider_sid = ? LIMIT 1",
        (provider_sid,),
    )
    return await call_trace(db, rows[0][0]) if rows else None


async def number_trace(db: ReadOnlyDatabase, number: str, limit: int = CALLS_PER_NUMBER) -> list[StoryJson]:
    """The latest calls of a number in any spelling, newest first, each as `call_trace` tells it.

    A pseudonym has those of the number that was erased; an unusable spelling has none.
    """
    rows = await db.fetch_all(
        f"""SELECT c.id, {_STORY.sql} FROM calls c
            WHERE c.caller = ? ORDER BY c.called_at DESC, c.id DESC LIMIT ?""",
        (lookup_key(number), limit),
    )
    return await _with_actions(db, rows)


async def _with_actions(db: ReadOnlyDatabase, calls: Sequence[Sequence[Any]]) -> list[StoryJson]:
    """The stories of these calls, in their order: a handful of queries, however many there are."""
    if not calls:
        return []
    rows = await db.fetch_all(
        f"""SELECT a.call_id, {_STORY_ACTION.sql} FROM actions a
            WHERE a.call_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY a.id""",
        (json.dumps([call_id for call_id, *_ in calls]),),
    )
    wanted = (json.dumps([action_id for _, action_id, *_ in rows]),)
    votes: dict[int, VoteJson] = {}
    if any(kind == Kind.VOTE for _, _, kind, *_ in rows):
        votes = {action_id: VoteJson(*vote) for action_id, *vote in await db.fetch_all(_VOTES, wanted)}
    attempts: defaultdict[int, list[AttemptJson]] = defaultdict(list)
    for action_id, *attempt in await db.fetch_all(
        f"""SELECT t.action_id, {_ATTEMPT.sql} FROM attempts t
            WHERE t.action_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))
            ORDER BY t.action_id, t.number""",
        wanted,
    ):
        attempts[action_id].append(_ATTEMPT.read(attempt))
    reports: defaultdict[int, list[ReportJson]] = defaultdict(list)
    for action_id, *report in await db.fetch_all(
        f"""SELECT r.action_id, {_REPORT.sql} FROM reports r
            WHERE r.action_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY r.id""",
        wanted,
    ):
        reports[action_id].append(_REPORT.read(report))
    actions: defaultdict[int, list[ActionJson]] = defaultdict(list)
    for call_id, *action in rows:
        key = action[0]
        actions[call_id].append(_STORY_ACTION.read(action, votes.get(key), attempts[key], reports[key], None))
    return [_STORY.read(call, actions[call_id]) for call_id, *call in calls]


_VOTES = """
SELECT a.id, v.poll, v.option, v.standing FROM actions a JOIN calls c ON c.id = a.call_id
JOIN votes v ON v.poll = a.details ->> '$.poll' AND v.number = a.number
            AND v.standing IN ('counted', 'surplus', 'replaced', 'early', 'late')
            AND v.called_at = c.called_at AND v.call_sid = c.call_sid
WHERE a.id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) AND a.kind = 'vote'"""
"""How the votes stand now. A voter may have thousands: all that the key begins with is said."""
