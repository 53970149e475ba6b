"""Who must not be contacted, and why: the gates ask only here.

A number may be suppressed by several sources at once. When an operator lifts a suppression, or an opt-out
ends, another source may still block the number. `+232*` suppresses every number that begins with +232.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from missedd.base.clock import from_us, to_us
from missedd.core.model import Kind
from missedd.core.people.consent import OptOut
from missedd.core.people.suppression import (
    BLOCKS_ALL,
    Channel,
    RefusedSmsClass,
    Restriction,
    restriction_duration,
)
from missedd.core.phone import PREFIX_WILDCARD, numbers_with_prefix
from missedd.store.db.database import Database

OPT_OUT_SOURCE: Final = "opt-out"
"""The source of a suppression that the caller asked for by a missed call."""

PROVIDER_SOURCE: Final = "provider"
"""The source of a suppression that follows from a refusal by the provider."""


@dataclass(slots=True)
class _NumberSuppressions:
    is_suppressed: bool = False
    """By any source except the number's own opt-out."""
    restrictions: tuple[Restriction, ...] = ()
    calls_refused_at: datetime | None = None
    opt_out: OptOut | None = None


@dataclass(frozen=True, slots=True)
class Suppressions:
    """The suppressions in force at one instant."""

    _by_number: Mapping[str, _NumberSuppressions] = field(default_factory=dict)

    @property
    def numbers(self) -> Iterable[str]:
        """The numbers with any suppression."""
        return self._by_number.keys()

    def blocks_action(self, number: str, kind: Kind, call_id: int) -> bool:
        """Whether an action of this kind for the call `call_id` must not contact the number.

        The SMS that confirms an opt-out belongs to the call that opted out. Only this SMS passes the
        suppression that the call began.
        """
        suppressions = self._by_number.get(number)
        if suppressions is None:
            return False
        opt_out = suppressions.opt_out
        confirms = kind is Kind.SMS and opt_out is not None and opt_out.call_id == call_id
        return suppressions.is_suppressed or (opt_out is not None and not confirms)

    def is_suppressed(self, number: str) -> bool:
        """Whether a source other than the number's own opt-out suppresses it."""
        return number in self._by_number and self._by_number[number].is_suppressed

    def restrictions(self, number: str) -> tuple[Restriction, ...]:
        """What the number may not get, as earlier requests were refused."""
        return self._by_number[number].restrictions if number in self._by_number else ()

    def calls_refused_at(self, number: str) -> datetime | None:
        """When the register refused our call to the number; None if our calls are not blocked."""
        return self._by_number[number].calls_refused_at if number in self._by_number else None

    def opt_out(self, number: str) -> OptOut | None:
        return self._by_number[number].opt_out if number in self._by_number else None


async def suppressions_in_force(db: Database, numbers: str, now: datetime) -> Suppressions:
    """The suppressions of these numbers, a JSON array, that are in force at `now`."""
    rows = await db.fetch_all(_IN_FORCE, (numbers, to_us(now), to_us(now)))
    by_number: defaultdict[str, _NumberSuppressions] = defaultdict(_NumberSuppressions)
    for number, channel, sms_class, sender, source, since_us, asked_us, until_us, call_id in rows:
        if number.endswith(PREFIX_WILDCARD):
            for covered in numbers_with_prefix(number, json.loads(numbers)):
                by_number[covered].is_suppressed = True
            continue
        suppressions = by_number[number]
        if channel != Channel.ALL:
            refused_class = RefusedSmsClass(sms_class) if sms_class else None
            restriction = Restriction(Channel(channel), refused_class, sender)
            suppressions.restrictions += (restriction,)
            if restriction.channel is Channel.CALLS:
                suppressions.calls_refused_at = from_us(since_us)
        elif source == OPT_OUT_SOURCE:
            until = None if until_us is None else from_us(until_us)
            suppressions.opt_out = OptOut(from_us(since_us), from_us(asked_us), until, call_id)
        else:
            suppressions.is_suppressed = True
    return Suppressions(dict(by_number))


_COLUMNS: Final = "number, channel, class, sender, source, since_at, asked_at, until_at, call_id"
# `number != rtrim(number, '*')` repeats the condition of the partial index, or SQLite would not use it.
_IN_FORCE: Final = f"""
SELECT {_COLUMNS} FROM suppressions
WHERE number IN (SELECT value FROM json_each(?)) AND (until_at IS NULL OR until_at > ?)
UNION ALL
SELECT {_COLUMNS} FROM suppressions
WHERE number != rtrim(number, '*') AND (until_at IS NULL OR until_at > ?)"""  # noqa: S608 - constants


async def suppress(
    db: Database,
    number: str,
    reason: str,
    source: str,
    now: datetime,
    until: datetime | None,
    restriction: Restriction = BLOCKS_ALL,
) -> None:
    """Suppress a number, or a prefix such as `+232*`, until an instant (UTC) or for ever.

    `restriction` says which calls or SMS are blocked. A suppression of the same source and restriction gets
    the new reason and end; if it was over, it begins anew.
    """
    await db.execute(
        """INSERT INTO suppressions (number, channel, class, sender, reason, source, since_at, until_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (number, channel, class, sender, source) DO UPDATE SET
               reason = excluded.reason, until_at = excluded.until_at,
               since_at = iif(suppressions.until_at <= excluded.since_at,
                              excluded.since_at, suppressions.since_at)""",
        (
            *(number, restriction.channel, restriction.sms_class or "", restriction.sender, reason, source),
            to_us(now),
            None if until is None else to_us(until),
        ),
    )


async def suppress_after_refusal(
    db: Database, number: str, restriction: Restriction, reason: str, now: datetime
) -> None:
    """Suppress a number as the provider or an operator refused a request to it."""
    duration = restriction_duration(restriction)
    await suppress(
        db, number, reason, PROVIDER_SOURCE, now, None if duration is None else now + duration, restriction
    )


async def unsuppress(db: Database, number: str) -> bool:
    """Delete all suppressions of a number, from every source; False if it had none."""
    rows = await db.fetch_all("DELETE FROM suppressions WHERE number = ? RETURNING number", (number,))
    return bool(rows)


async def lift_call_refusals(db: Database, numbers: Sequence[str]) -> None:
    """Allow our calls to these numbers again: the register refused them, but they have called since."""
    await db.executemany(
        "DELETE FROM suppressions WHERE number = ? AND channel = ?",
        [(number, Channel.CALLS) for number in numbers],
    )


async def save_opt_outs(db: Database, opt_outs: Mapping[str, OptOut | None]) -> None:
    """Replace the opt-outs of these numbers; None deletes one."""
    await db.executemany(
        "DELETE FROM suppressions WHERE number = ? AND channel = 'all' AND source = ?",
        [(number, OPT_OUT_SOURCE) for number in opt_outs],
    )
    await db.executemany(
        """INSERT INTO suppressions (number, channel, reason, source, since_at, until_at, asked_at, call_id)
           VALUES (?, 'all', 'opted out by missed call', ?, ?, ?, ?, ?)""",
        [
            (
                number,
                OPT_OUT_SOURCE,
                to_us(opt_out.since),
                None if opt_out.until is None else to_us(opt_out.until),
                to_us(opt_out.requested_at),
                opt_out.call_id,
            )
            for number, opt_out in opt_outs.items()
            if opt_out is not None
        ],
    )
