"""Who must not be contacted, and why: the one place that the gates ask.

A number may be suppressed by several sources at once, and each stands for itself: what an operator
lifts or an opt-out's end frees, another source may still bar. `+232*` suppresses every number that
begins so.
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
"""The source of a suppression that the number asked for by a missed call."""

PROVIDER_SOURCE: Final = "provider"
"""The source of one that a refusal has taught."""


@dataclass(slots=True)
class _NumberSuppressions:
    is_suppressed: bool = False
    """By any source but the number's own opting out."""
    restrictions: tuple[Restriction, ...] = ()
    calls_refused_at: datetime | None = None
    opt_out: OptOut | None = None


@dataclass(frozen=True, slots=True)
class Suppressions:
    """Those in force at one instant."""

    _by_number: Mapping[str, _NumberSuppressions] = field(default_factory=dict)

    @property
    def numbers(self) -> Iterable[str]:
        """Those of which there is anything to say."""
        return self._by_number.keys()

    def blocks_action(self, number: str, kind: Kind, call_id: int) -> bool:
        """Whether the number must not be contacted by an action that is owed for this call.

        The SMS that confirms an opting out is owed for the very call that opted out: nothing else
        passes the suppression that this call began.
        """
        standing = self._by_number.get(number)
        if standing is None:
            return False
        confirms = kind is Kind.SMS and standing.opt_out is not None and standing.opt_out.call_id == call_id
        return standing.is_suppressed or (standing.opt_out is not None and not confirms)

    def is_suppressed(self, number: str) -> bool:
        """Whether a source other than the number's own opting out suppresses it."""
        return number in self._by_number and self._by_number[number].is_suppressed

    def restrictions(self, number: str) -> tuple[Restriction, ...]:
        """What refusals have taught about the number."""
        return self._by_number[number].restrictions if number in self._by_number else ()

    def calls_refused_at(self, number: str) -> datetime | None:
        """When the register refused a call of ours, while that bars them."""
        return self._by_number[number].calls_refused_at if number in self._by_number else None

    def opt_out(self, number: str) -> OptOut | None:
        return self._by_number[number].opt_out if number in self._by_number else None


async def suppressions_in_force(db: Database, numbers: str, now: datetime) -> Suppressions:
    """What stands against these numbers, a JSON array, at `now`."""
    rows = await db.fetch_all(_IN_FORCE, (numbers, to_us(now), to_us(now)))
    found: defaultdict[str, _NumberSuppressions] = defaultdict(_NumberSuppressions)
    for number, channel, of, sender, source, since_us, asked_us, until_us, call_id in rows:
        if number.endswith(PREFIX_WILDCARD):
            for covered in numbers_with_prefix(number, json.loads(numbers)):
                found[covered].is_suppressed = True
            continue
        standing = found[number]
        if channel != Channel.ALL:
            bar = Restriction(Channel(channel), RefusedSmsClass(of) if of else None, sender)
            standing.restrictions += (bar,)
            if bar.channel is Channel.CALLS:
                standing.calls_refused_at = from_us(since_us)
        elif source == OPT_OUT_SOURCE:
            until = None if until_us is None else from_us(until_us)
            standing.opt_out = OptOut(from_us(since_us), from_us(asked_us), until, call_id)
        else:
            standing.is_suppressed = True
    return Suppressions(dict(found))


_COLUMNS: Final = "number, channel, class, sender, source, since_at, asked_at, until_at, call_id"
# The first of the conditions is the index's own, or it would not be used.
_IN_FORCE: Final = f"""
SELECT {_COLUMNS} FROM suppressions
WHERE number IN (SELECT value FROM json_each(?)) AND (until_at IS NULL OR until_at > ?)
UNION ALL
SELECT {_COLUMNS} FROM suppressions WHERE number GLOB '*[*]' AND (until_at IS NULL OR until_at > ?)"""  # noqa: S608 - constants


async def suppress(
    db: Database,
    number: str,
    reason: str,
    source: str,
    now: datetime,
    until: datetime | None,
    restriction: Restriction = BLOCKS_ALL,
) -> None:
    """Bar a number, or all that begin like it, from what `bar` says, until an instant or for ever."""
    await db.execute(
        """INSERT INTO suppressions (number, channel, class, sender, reason, source, since_at, until_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (number, channel, class, sender, source) DO UPDATE SET
               reason = excluded.reason, until_at = excluded.until_at,
               since_at = iif(until_at <= excluded.since_at, excluded.since_at, since_at)""",
        (
            *(number, restriction.channel, restriction.sms_class or "", restriction.sender, reason, source),
            to_us(now),
            None if until is None else to_us(until),
        ),
    )


async def suppress_after_refusal(
    db: Database, number: str, restriction: Restriction, reason: str, now: datetime
) -> None:
    """Keep what a refusal of the provider's or of an operator's teaches about a number."""
    duration = restriction_duration(restriction)
    await suppress(
        db, number, reason, PROVIDER_SOURCE, now, None if duration is None else now + duration, restriction
    )


async def unsuppress(db: Database, number: str) -> bool:
    """Take a number off the suppression list, whatever put it there; False if it was not on it."""
    rows = await db.fetch_all("DELETE FROM suppressions WHERE number = ? RETURNING number", (number,))
    return bool(rows)


async def lift_call_refusals(db: Database, numbers: Sequence[str]) -> None:
    """Lift what the register refused for these numbers, which have rung since."""
    await db.executemany(
        "DELETE FROM suppressions WHERE number = ? AND channel = ?",
        [(number, Channel.CALLS) for number in numbers],
    )


async def save_opt_outs(db: Database, opt_outs: Mapping[str, OptOut | None]) -> None:
    """Let these numbers' opting out stand as it is said here, and no more where it is None."""
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
                to_us(each.since),
                None if each.until is None else to_us(each.until),
                to_us(each.requested_at),
                each.call_id,
            )
            for number, each in opt_outs.items()
            if each is not None
        ],
    )
