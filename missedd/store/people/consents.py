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
from missedd.core.admission.decide import effective_call_time
from missedd.core.model import Admission, InboundCall, Kind, PlannedAction
from missedd.core.people.consent import (
    WITHDRAWN_BY_CALL,
    Consent,
    ConsentHistory,
    ConsentStatus,
    SubscribeEvent,
    UnsubscribeEvent,
    withdrawal_time,
)
from missedd.core.policy import Policy
from missedd.store.db.database import Database

type ListMember = tuple[str, str]
"""A list and a number."""


@dataclass(slots=True)
class _StoredHistory:
    """One ledger with its rows: `kept` are those on disk, by their calls; `new` what the batch adds."""

    history: ConsentHistory = field(default_factory=ConsentHistory)
    stored_consents: dict[int, tuple[int, Consent]] = field(default_factory=dict)
    new: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Purpose and campaign of each new consent, by its call."""
    withdrawals: list[UnsubscribeEvent] = field(default_factory=list)


@dataclass(slots=True)
class ConsentBatch:
    """The ledgers that a batch of calls may change."""

    _histories: defaultdict[ListMember, _StoredHistory] = field(
        default_factory=lambda: defaultdict(_StoredHistory)
    )

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
                book = self._histories[planned.details["list"], number]
                book.new[call_id] = (planned.details["purpose"], admission.campaign or "")
                return replace(planned, reason=book.history.add_subscribe(SubscribeEvent(at, call_id)))
            case Kind.UNSUBSCRIBE:
                book = self._histories[planned.details["list"], number]
                leaving = UnsubscribeEvent(at, WITHDRAWN_BY_CALL, call_id)
                book.withdrawals.append(leaving)
                return replace(planned, reason=book.history.add_unsubscribe(leaving))
        return planned

    async def save(self, db: Database) -> None:
        """Write what has changed."""
        inserted: list[tuple[object, ...]] = []
        ended: list[tuple[object, ...]] = []
        revived: list[tuple[object, ...]] = []
        left: list[tuple[object, ...]] = []
        for (name, number), book in self._histories.items():
            left += [(name, number, to_us(each.at), each.by, each.call_id) for each in book.withdrawals]
            for consent in book.history.consents():
                call_id = consent.subscribed_by.call_id
                if call_id in book.new:
                    at_us = to_us(consent.subscribed_by.at)
                    row = (name, number, *book.new[call_id], call_id, at_us, *_status_values(consent))
                    inserted.append(row)
                elif (kept := book.stored_consents[call_id])[1] != consent:
                    changed = revived if consent.status is ConsentStatus.IN_FORCE else ended
                    changed.append((*_status_values(consent), kept[0]))
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


def _status_values(consent: Consent) -> tuple[object, ...]:
    ended = consent.withdrawal
    if ended is None:
        return consent.status, None, None, None
    return consent.status, to_us(ended.at), ended.by, ended.call_id


async def load_consent_batch(
    db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
) -> ConsentBatch:
    """The ledgers of the lists and numbers that these calls may be about; no reading where there are none."""
    since: dict[ListMember, datetime] = {}
    if not any(each.subscribe or each.unsubscribe for each in policy.campaigns):
        return ConsentBatch()
    for call in calls:
        campaign, _ = policy.campaign_of_call(call)
        if campaign is None or call.caller is None or call.not_missed is not None:
            continue
        at = effective_call_time(call, received_at)
        for name in (each.list for each in (campaign.subscribe, campaign.unsubscribe) if each is not None):
            since[name, call.caller] = min(at, since.get((name, call.caller), at))
    return await _load(db, since)


async def _load(db: Database, since: dict[ListMember, datetime]) -> ConsentBatch:
    books = ConsentBatch()
    if not since:
        return books
    wanted = json.dumps([(*owner, to_us(at)) for owner, at in since.items()])
    wishes: defaultdict[ListMember, list[SubscribeEvent | UnsubscribeEvent]] = defaultdict(list)
    for name, number, row_id, call_id, at_us, standing, left_us, by, left_call in await db.fetch_all(
        _CONSENTS, (wanted,)
    ):
        owner, joining = (name, number), SubscribeEvent(from_us(at_us), call_id)
        withdrawal = None if left_us is None else UnsubscribeEvent(from_us(left_us), by, left_call)
        books._histories[owner].stored_consents[call_id] = (
            row_id,
            Consent(joining, ConsentStatus(standing), withdrawal),
        )
        wishes[owner].append(joining)
        if withdrawal is not None and withdrawal.at < since[owner]:
            wishes[owner].append(withdrawal)
    for name, number, at_us, by, call_id in await db.fetch_all(_WITHDRAWALS, (wanted,)):
        wishes[name, number].append(UnsubscribeEvent(from_us(at_us), by, call_id))
    for owner, said in wishes.items():
        books._histories[owner].history = ConsentHistory.from_events(said)
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
    books = await _load(db, {(name, number): now})
    book = books._histories[name, number]
    if not book.history.is_subscribed:
        return False
    leaving = UnsubscribeEvent(withdrawal_time(now, book.history), by)
    book.history.add_unsubscribe(leaving)
    book.withdrawals.append(leaving)
    await books.save(db)
    return True


async def latest_subscribed_at(db: Database, numbers: Iterable[str]) -> dict[str, datetime]:
    """When each of the numbers last joined any list, of those that ever did."""
    rows = await db.fetch_all(
        """SELECT number, max(consented_at) FROM subscriptions
           WHERE number IN (SELECT value FROM json_each(?)) GROUP BY number""",
        (json.dumps(sorted(numbers)),),
    )
    return {number: from_us(at_us) for number, at_us in rows}
