"""The rows of a batch's calls: which CallSids are known, and what is inserted, decided again or counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from missedd.base.clock import to_us
from missedd.core.admission.caller_history import KnownCall
from missedd.core.model import SHAPE_RECOVERED, Admission, InboundCall, Verdict
from missedd.store.db.database import Database
from missedd.store.db.json_values import compact_json


@dataclass(slots=True)
class CallBatch:
    """The calls that a batch inserts, decides again or only counts."""

    known: dict[str, tuple[int, KnownCall]]
    """By CallSid: the row's id and what was decided, earlier calls of the batch included."""
    ids: Iterator[int]
    """Ids for new rows."""
    received_us: int
    _inserted: list[tuple[object, ...]] = field(default_factory=list)
    _redecided: list[tuple[object, ...]] = field(default_factory=list)
    _redelivered: list[tuple[str]] = field(default_factory=list)

    def record(self, call: InboundCall, admission: Admission) -> int:
        """Insert the row of a new call, or write the new decision about a known one; returns the row's id."""
        values = _call_values(call, admission, self.received_us)
        known = self.known.get(call.call_sid)
        if known is None:
            call_id = next(self.ids)
            self._inserted.append((call_id, *values))
        else:
            call_id = known[0]
            self._redecided.append((*values[1:], call_id))
        self.known[call.call_sid] = (call_id, KnownCall(admission.verdict, admission.reason))
        return call_id

    def count_redelivery(self, call: InboundCall) -> None:
        """Count another request about a known call; the provider's list of calls is no request."""
        if call.shape != SHAPE_RECOVERED:
            self._redelivered.append((call.call_sid,))

    def mark_answered(self, call_sid: str) -> None:
        """Remember for the rest of the batch that somebody took this known call."""
        call_id, known = self.known[call_sid]
        self.known[call_sid] = (call_id, replace(known, was_answered=True))

    async def save(self, db: Database) -> None:
        await db.executemany(_INSERT, self._inserted)
        await db.executemany(_REDECIDE, self._redecided)

    async def save_redeliveries(self, db: Database) -> None:
        await db.executemany(_COUNT_REDELIVERY, self._redelivered)


_INSERT = """
INSERT INTO calls
    (id, call_sid, campaign, caller, exophone, called_at, received_at, verdict, reason, shape, fields)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_REDECIDE = """
UPDATE calls SET campaign = ?, caller = ?, exophone = ?, called_at = ?, received_at = ?, verdict = ?,
                 reason = ?, shape = ?, fields = ?
WHERE id = ?"""
_COUNT_REDELIVERY = "UPDATE calls SET redeliveries = redeliveries + 1 WHERE call_sid = ?"


def _call_values(call: InboundCall, admission: Admission, received_us: int) -> tuple[object, ...]:
    return (
        call.call_sid,
        admission.campaign,
        call.caller,
        admission.exophone,
        to_us(admission.called_at),
        received_us,
        admission.verdict,
        admission.reason,
        call.shape,
        compact_json(dict(call.fields)),
    )


async def load_known_calls(db: Database, calls: Sequence[InboundCall]) -> dict[str, tuple[int, KnownCall]]:
    """By CallSid: the row's id and what was decided, of those of `calls` that are known."""
    sids = compact_json([call.call_sid for call in calls])
    # A call of an erased number counts as final: a late request about it must not bring the number back.
    rows = await db.fetch_all(
        """SELECT call_sid, id, iif(caller LIKE 'erased:%', 'redelivered', verdict), reason,
               reached_at IS NOT NULL FROM calls
           WHERE call_sid IN (SELECT value FROM json_each(?))""",
        (sids,),
    )
    return {
        sid: (call_id, KnownCall(Verdict(verdict), reason, bool(is_reached)))
        for sid, call_id, verdict, reason, is_reached in rows
    }


async def match_own_callbacks(db: Database, calls: Sequence[InboundCall]) -> dict[str, int]:
    """By CallSid: the action id of our own callback that a request is about.

    For example, a Passthru applet in the flow of a callback reports that outgoing call.
    """
    sids = [call.call_sid for call in calls if call.not_missed is not None]
    if not sids:
        return {}
    rows = await db.fetch_all(
        "SELECT provider_sid, id FROM actions WHERE provider_sid IN (SELECT value FROM json_each(?))",
        (compact_json(sids),),
    )
    return {str(sid): int(action_id) for sid, action_id in rows}
