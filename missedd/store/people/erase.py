"""Erase a number: replace it by one pseudonym everywhere in the database, in one transaction.

Rows stay and count as before. CallSids stay too, so that no late webhook and no catch-up adds a call again.
The fields that Exotel sent are deleted; everything that missedd needs of them stands in columns. The personal
details of each action are deleted: who was called, how long they talked, the recording, the texts.

Two kinds of record keep the number: suppressions, and consents with their withdrawals. The law requires them,
and they mean nothing without the number. A restriction that missedd learned from a refusal for a limited time
is no request of the person, so it is deleted.
"""

# ruff: noqa: S608 - only constants of this module are put into these statements, never input

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from missedd.base.clock import to_us
from missedd.core.actions.details import ACTION_DETAILS
from missedd.core.people.erasure import (
    ErasureCause,
    ErasureRefusal,
    ErasureResult,
    Redact,
    number_redactor,
    pseudonym,
    redact_json,
)
from missedd.store.db.database import Database
from missedd.store.db.json_values import compact_json

WITHOUT_PERSONAL_DETAILS: Final = (
    f"json_remove(details, {', '.join(f"'$.{each.name}'" for each in ACTION_DETAILS if each.is_personal)})"
)

_RENAMED: Final = (
    "UPDATE calls SET caller = ?1, fields = '{}' WHERE caller = ?2",
    "UPDATE actions SET number = ?1 WHERE number = ?2",
    "UPDATE leads SET number = ?1 WHERE number = ?2",
    # The primary key begins with the poll, and there are few polls.
    "UPDATE votes SET number = ?1 WHERE poll IN (SELECT poll FROM tallies) AND number = ?2",
    "UPDATE verifications SET number = ?1 WHERE number = ?2",
    "UPDATE conversions SET number = ?1 WHERE number = ?2",
    "UPDATE callers SET number = ?1 WHERE number = ?2",
    "UPDATE late_callers SET number = ?1 WHERE number = ?2",  # few rows: callers not yet in their sets
    "UPDATE audit SET subject = ?1 WHERE subject = ?2",
)

_EMPTIED: Final = (
    # A request about our own callback holds the customer's number in its fields, but another caller.
    """UPDATE calls SET fields = '{}' WHERE call_sid IN (
           SELECT provider_sid FROM actions WHERE number = ?1
           UNION SELECT t.provider_sid FROM actions a JOIN attempts t ON t.action_id = a.id
                 WHERE a.number = ?1)""",
    f"UPDATE actions SET details = {WITHOUT_PERSONAL_DETAILS} WHERE number = ?1 AND details != '{{}}'",
    "UPDATE reports SET fields = '{}' WHERE action_id IN (SELECT id FROM actions WHERE number = ?1)",
    # Restrictions learned from refusals for a limited time; nobody asked for them.
    "DELETE FROM suppressions WHERE number = ?1 AND source = 'provider' AND until_at IS NOT NULL",
)

_FREE_TEXTS: Final = (
    """SELECT 'attempts', 'message', t.id, t.message FROM actions a JOIN attempts t ON t.action_id = a.id
       WHERE a.number = ?1 AND t.message IS NOT NULL""",
    """SELECT 'actions', 'settled_note', id, settled_note FROM actions
       WHERE number = ?1 AND settled_note IS NOT NULL""",
    "SELECT 'conversions', 'reference', id, reference FROM conversions WHERE number = ?1",
    "SELECT 'audit', 'subject', id, subject FROM audit WHERE subject IN ({concerns})",
)
_CONCERNS: Final = """
SELECT ?1 UNION ALL SELECT CAST(id AS TEXT) FROM actions WHERE number = ?1
UNION ALL SELECT reference FROM conversions WHERE number = ?1"""
"""The subjects under which the audit trail names the number or its rows."""


async def erase_number(
    db: Database, number: str, at: datetime, cause: ErasureCause, unless_active_since: datetime | None = None
) -> ErasureResult | ErasureRefusal:
    """Replace a number by a pseudonym, or return why the number has to stay for now.

    With `unless_active_since`, the number also stays if it has been active since that instant.
    """
    refusal = await _refusal(db, number, at, unless_active_since)
    if refusal is not None:
        return refusal
    async with db.engine.erasing(db):
        ((erasure_id,),) = await db.fetch_all(
            "INSERT INTO erasures (at, cause) VALUES (?, ?) RETURNING id", (to_us(at), cause)
        )
        name = pseudonym(erasure_id)
        await _redact_texts(db, number, number_redactor(number, name))
        for statement in _EMPTIED:
            await db.execute(statement, (number,))
        for statement in _RENAMED:
            await db.execute(statement, (name, number))
    ((suppressions, consents),) = await db.fetch_all(
        """SELECT (SELECT count(*) FROM suppressions WHERE number = ?1),
                  (SELECT count(*) FROM subscriptions WHERE number = ?1)""",
        (number,),
    )
    return ErasureResult(name, suppressions, consents)


async def _refusal(
    db: Database, number: str, at: datetime, unless_active_since: datetime | None
) -> ErasureRefusal | None:
    ((is_known, is_owed, is_verified, may_vote),) = await db.fetch_all(
        """SELECT EXISTS (SELECT 1 FROM calls WHERE caller = ?1)
                  OR EXISTS (SELECT 1 FROM verifications WHERE number = ?1)
                  OR EXISTS (SELECT 1 FROM audit WHERE subject = ?1),
                  EXISTS (SELECT 1 FROM actions WHERE number = ?1 AND state != 'done'),
                  EXISTS (SELECT 1 FROM verifications
                          WHERE number = ?1 AND status = 'pending' AND expires_at > ?2),
                  EXISTS (SELECT 1 FROM poll_rules CROSS JOIN votes v
                          WHERE v.poll = poll_rules.poll AND v.number = ?1
                            AND CAST(poll_rules.rules ->> '$.closes_at' AS BIGINT) > ?2)""",
        (number, to_us(at)),
    )
    if is_owed:
        return ErasureRefusal.STILL_OWED
    if is_verified:
        return ErasureRefusal.BEING_VERIFIED
    if may_vote:
        return ErasureRefusal.POLL_OPEN
    if unless_active_since is not None:
        ((active_us,),) = await db.fetch_all(
            f"SELECT {LAST_ACTIVITY} FROM (SELECT ? AS number) who", (number,)
        )
        if active_us >= to_us(unless_active_since):
            return ErasureRefusal.ACTIVE_AGAIN
    return None if is_known else ErasureRefusal.UNKNOWN


LAST_ACTIVITY: Final = """max(
    coalesce((SELECT max(c.called_at) FROM calls c WHERE c.caller = who.number), 0),
    coalesce((SELECT max(a.due_at) FROM actions a WHERE a.number = who.number), 0),
    coalesce((SELECT max(l.updated_at) FROM leads l WHERE l.number = who.number), 0),
    coalesce((SELECT max(o.created_at) FROM conversions o WHERE o.number = who.number), 0),
    coalesce((SELECT max(v.created_at) FROM verifications v WHERE v.number = who.number), 0),
    coalesce((SELECT max(u.at) FROM audit u WHERE u.subject = who.number), 0))"""
"""SQL for the last activity of the number `who.number`, in microseconds since 1970 UTC; 0 for never."""


async def _redact_texts(db: Database, number: str, redact: Redact) -> None:
    """Redact the number in free texts of the provider, of operators and of the application."""
    for select in _FREE_TEXTS:
        for table, column, row_id, text in await db.fetch_all(select.format(concerns=_CONCERNS), (number,)):
            if table == "audit":
                await _redact_audit(db, row_id, redact)
            if (redacted := redact(text)) != text:
                await db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (redacted, row_id))


async def _redact_audit(db: Database, row_id: int, redact: Redact) -> None:
    ((details,),) = await db.fetch_all("SELECT details FROM audit WHERE id = ?", (row_id,))
    values = json.loads(details)
    if (redacted := redact_json(values, redact)) != values:
        await db.execute("UPDATE audit SET details = ? WHERE id = ?", (compact_json(redacted), row_id))
