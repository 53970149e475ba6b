"""Who must not be contacted, and why: the one place that the gates ask.

A number may be suppressed by several sources at once, and each stands for itself: what an operator
lifts or an opt-out's end frees, another source may still bar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from missedd.clock import from_us, to_us
from missedd.core.consent import OptOut
from missedd.core.model import Kind
from missedd.store.database import Database

OPT_OUT: Final = "opt-out"
"""The source of a suppression that the number asked for by a missed call."""


@dataclass(slots=True)
class _Standing:
    is_barred: bool = False
    """By any source but the number's own opting out."""
    refuses_sms: bool = False
    opt_out: OptOut | None = None


@dataclass(frozen=True, slots=True)
class Suppressions:
    """Those in force at one instant."""

    _standing: Mapping[str, _Standing] = field(default_factory=dict)

    def bars(self, number: str, kind: Kind, call_id: int) -> bool:
        """Whether the number must not be contacted by an action that is owed for this call.

        The SMS that confirms an opting out is owed for the very call that opted out: nothing else
        passes the suppression that this call began.
        """
        standing = self._standing.get(number)
        if standing is None:
            return False
        confirms = kind is Kind.SMS and standing.opt_out is not None and standing.opt_out.call_id == call_id
        return standing.is_barred or (standing.opt_out is not None and not confirms)

    def is_barred(self, number: str) -> bool:
        """Whether a source other than the number's own opting out suppresses it."""
        return number in self._standing and self._standing[number].is_barred

    def refuses_sms(self, number: str) -> bool:
        return number in self._standing and self._standing[number].refuses_sms

    def opt_out(self, number: str) -> OptOut | None:
        return self._standing[number].opt_out if number in self._standing else None


async def suppressions_in_force(db: Database, numbers: str, now: datetime) -> Suppressions:
    """What stands against these numbers, a JSON array, at `now`."""
    rows = await db.fetch_all(
        """SELECT number, channel, source, since_at, asked_at, until_at, call_id FROM suppressions
           WHERE number IN (SELECT value FROM json_each(?)) AND (until_at IS NULL OR until_at > ?)""",
        (numbers, to_us(now)),
    )
    found: defaultdict[str, _Standing] = defaultdict(_Standing)
    for number, channel, source, since_us, asked_us, until_us, call_id in rows:
        if channel == "sms":
            found[number].refuses_sms = True
        elif source == OPT_OUT:
            until = None if until_us is None else from_us(until_us)
            found[number].opt_out = OptOut(from_us(since_us), from_us(asked_us), until, call_id)
        else:
            found[number].is_barred = True
    return Suppressions(dict(found))


async def suppress(
    db: Database,
    number: str,
    reason: str,
    source: str,
    now: datetime,
    until: datetime | None,
    channel: str = "all",
) -> None:
    """Let nobody contact a number (`all`), or send it no SMS (`sms`), until an instant or for ever."""
    await db.execute(
        """INSERT INTO suppressions (number, channel, reason, source, since_at, until_at)
           VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (number, channel, source) DO UPDATE SET
               reason = excluded.reason, until_at = excluded.until_at,
               since_at = iif(until_at <= excluded.since_at, excluded.since_at, since_at)""",
        (number, channel, reason, source, to_us(now), None if until is None else to_us(until)),
    )


async def unsuppress(db: Database, number: str) -> bool:
    """Take a number off the suppression list, whatever put it there; False if it was not on it."""
    rows = await db.fetch_all("DELETE FROM suppressions WHERE number = ? RETURNING number", (number,))
    return bool(rows)


async def keep_opt_outs(db: Database, opt_outs: Mapping[str, OptOut | None]) -> None:
    """Let these numbers' opting out stand as it is said here, and no more where it is None."""
    await db.executemany(
        "DELETE FROM suppressions WHERE number = ? AND channel = 'all' AND source = ?",
        [(number, OPT_OUT) for number in opt_outs],
    )
    await db.executemany(
        """INSERT INTO suppressions (number, channel, reason, source, since_at, until_at, asked_at, call_id)
           VALUES (?, 'all', 'opted out by missed call', ?, ?, ?, ?, ?)""",
        [
            (
                number,
                OPT_OUT,
                to_us(each.since),
                None if each.until is None else to_us(each.until),
                to_us(each.asked_at),
                each.call_id,
            )
            for number, each in opt_outs.items()
            if each is not None
        ],
    )
