"""Consents on disk: what a batch of calls, or an operator's word, does to the lists.

Runs inside the transaction that admits the calls. A ledger is read from the consent before the
batch's earliest call on, which is all that can matter: one row for most numbers, and the few after
it for a call that is told of late.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from missedd.base.clock import from_us, to_us
from missedd.core.admission.decide import own_time
from missedd.core.model import Admission, InboundCall, Kind, PlannedAction
from missedd.core.people.consent import MISSED_CALL, Consent, Joining, Leaving, Ledger, Standing, leaves_at
from missedd.core.policy import Policy
from missedd.store.db.database import Database

type Owner = tuple[str, str]
"""A list and a number."""


@dataclass(slots=True)
class _Book:
    """One ledger with its rows: `kept` are those on disk, by their calls; `new` what the batch adds."""

    ledger: Ledger = field(default_factory=Ledger)
    kept: dict[int, tuple[int, Consent]] = field(default_factory=dict)
    new: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Purpose and campaign of each new consent, by its call."""
    left: list[Leaving] = field(default_factory=list)


@dataclass(slots=True)
class Books:
    """The ledgers that a batch of calls may change."""

    _books: defaultdict[Owner, _Book] = field(default_factory=lambda: defaultdict(_Book))

    def record(self, admission: Admission, number: str, call_id: int) -> Admission:
        """The admission, with what came of each wish about a list as that action's reason."""
        if not any(each.kind in (Kind.SUBSCRIBE, Kind.UNSUBSCRIBE) for each in admission.actions):
            return admission
        actions = tuple(self._recorded(each, admission, number, call_id) for each in admission.actions)
        return replace(admission, actions=actions)

    def _recorded(
        self, planned: PlannedAction, admission: Admission, number: str, call_id: int
    ) -> PlannedAction:
        at = admission.called_at
        match planned.kind:
            case Kind.SUBSCRIBE:
                book = self._books[planned.details["list"], number]
                book.new[call_id] = (planned.details["purpose"], admission.campaign or "")
                return replace(planned, reason=book.ledger.join(Joining(at, call_id)))
            case Kind.UNSUBSCRIBE:
                book = self._books[planned.details["list"], number]
                leaving = Leaving(at, MISSED_CALL, call_id)
                book.left.append(leaving)
                return replace(planned, reason=book.ledger.leave(leaving))
        return planned

    async def keep(self, db: Database) -> None:
        """Write what has changed."""
        inserted: list[tuple[object, ...]] = []
        ended: list[tuple[object, ...]] = []
        revived: list[tuple[object, ...]] = []
        left: list[tuple[object, ...]] = []
        for (name, number), book in self._books.items():
            left += [(name, number, to_us(each.at), each.by, each.call_id) for each in book.left]
            for consent in book.ledger.consents():
                call_id = consent.joining.call_id
                if call_id in book.new:
                    at_us = to_us(consent.joining.at)
                    row = (name, number, *book.new[call_id], call_id, at_us, *_standing_values(consent))
                    inserted.append(row)
                elif (kept := book.kept[call_id])[1] != consent:
                    changed = revived if consent.standing is Standing.IN_FORCE else ended
                    changed.append((*_standing_values(consent), kept[0]))
        # One consent at a time is in force, and the index that sees to it looks at every row.
        await db.executemany(_UPDATE, ended)
        await db.executemany(_UPDATE, revived)
        await db.executemany(_INSERT, inserted)
        await db.executemany(
            "INSERT INTO withdrawals (list, number, at, by, call_id) VALUES (?, ?, ?, ?, ?)", left
        )


_INSERT = """
INSERT INTO subscriptions (list, number, purpose, campaign, call_id, consented_at, standing, withdrawn_at,
                           withdrawn_by, withdrawal_call_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE = """
UPDATE subscriptions SET standing = ?, withdrawn_at = ?, withdrawn_by = ?, withdrawal_call_id = ?
WHERE id = ?"""


def _standing_values(consent: Consent) -> tuple[object, ...]:
    ended = consent.withdrawal
    if ended is None:
        return consent.standing, None, None, None
    return consent.standing, to_us(ended.at), ended.by, ended.call_id


async def open_books(
    db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
) -> Books:
    """The ledgers of the lists and numbers that these calls may be about; no reading where there are none."""
    since: dict[Owner, datetime] = {}
    if not any(each.subscribe or each.unsubscribe for each in policy.campaigns):
        return Books()
    for call in calls:
        campaign, _ = policy.owner(call)
        if campaign is None or call.caller is None or call.not_missed is not None:
            continue
        at = own_time(call, received_at)
        for name in (each.list for each in (campaign.subscribe, campaign.unsubscribe) if each is not None):
            since[name, call.caller] = min(at, since.get((name, call.caller), at))
    return await _read(db, since)


async def _read(db: Database, since: dict[Owner, datetime]) -> Books:
    books = Books()
    if not since:
        return books
    wanted = json.dumps([(*owner, to_us(at)) for owner, at in since.items()])
    wishes: defaultdict[Owner, list[Joining | Leaving]] = defaultdict(list)
    for name, number, row_id, call_id, at_us, standing, left_us, by, left_call in await db.fetch_all(
        _CONSENTS, (wanted,)
    ):
        owner, joining = (name, number), Joining(from_us(at_us), call_id)
        withdrawal = None if left_us is None else Leaving(from_us(left_us), by, left_call)
        books._books[owner].kept[call_id] = (row_id, Consent(joining, Standing(standing), withdrawal))
        wishes[owner].append(joining)
        if withdrawal is not None and withdrawal.at < since[owner]:
            wishes[owner].append(withdrawal)
    for name, number, at_us, by, call_id in await db.fetch_all(_WITHDRAWALS, (wanted,)):
        wishes[name, number].append(Leaving(from_us(at_us), by, call_id))
    for owner, said in wishes.items():
        books._books[owner].ledger = Ledger.of(said)
    return books


_WANTED = """
WITH wanted AS (SELECT value ->> 0 AS list, value ->> 1 AS number, value ->> 2 AS since_at FROM json_each(?))
"""
_COLUMNS = """s.list, s.number, s.id, s.call_id, s.consented_at, s.standing, s.withdrawn_at, s.withdrawn_by,
s.withdrawal_call_id"""
_CONSENTS = f"""{_WANTED}
SELECT {_COLUMNS} FROM wanted w
JOIN subscriptions s ON s.number = w.number AND s.list = w.list AND s.consented_at >= w.since_at
UNION ALL
SELECT {_COLUMNS} FROM wanted w
JOIN subscriptions s ON s.id = (
    SELECT id FROM subscriptions c
    WHERE c.number = w.number AND c.list = w.list AND c.consented_at < w.since_at AND c.standing != 'repeated'
    ORDER BY c.consented_at DESC LIMIT 1)"""  # noqa: S608 - constants
_WITHDRAWALS = f"""{_WANTED}
SELECT l.list, l.number, l.at, l.by, l.call_id FROM wanted w
JOIN withdrawals l ON l.number = w.number AND l.list = w.list AND l.at >= w.since_at"""  # noqa: S608 - constants


async def unsubscribe(db: Database, name: str, number: str, by: str, now: datetime) -> bool:
    """Take a number off a list by an operator's word; False if it was not on it."""
    books = await _read(db, {(name, number): now})
    book = books._books[name, number]
    if not book.ledger.is_in_force:
        return False
    leaving = Leaving(leaves_at(now, book.ledger), by)
    book.ledger.leave(leaving)
    book.left.append(leaving)
    await books.keep(db)
    return True


async def latest_joinings(db: Database, numbers: Iterable[str]) -> dict[str, datetime]:
    """When each of the numbers last joined any list, of those that ever did."""
    rows = await db.fetch_all(
        """SELECT number, max(consented_at) FROM subscriptions
           WHERE number IN (SELECT value FROM json_each(?)) GROUP BY number""",
        (json.dumps(sorted(numbers)),),
    )
    return {number: from_us(at_us) for number, at_us in rows}
