"""Consents on disk: what a batch of calls, or an operator, changes on the lists.

Runs inside the transaction that admits the calls. The consents of a number on a list are read from the
last one before the batch's earliest call on; older ones cannot matter. That is one row for most numbers,
and a few more for a call that is reported late.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Final, Self

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
from missedd.core.reasons import Reason
from missedd.store.db.database import Database

type ListMember = tuple[str, str]
"""A list and a number."""

_LIST_KINDS: Final = (Kind.SUBSCRIBE, Kind.UNSUBSCRIBE)


@dataclass(slots=True)
class _StoredHistory:
    """The consents of one number on one list: those on disk, and what the batch adds."""

    history: ConsentHistory = field(default_factory=ConsentHistory)
    stored: dict[int, tuple[int, Consent]] = field(default_factory=dict)
    """By the id of the subscribing call: the row's id and the consent as it is on disk."""
    new: dict[int, tuple[str, str]] = field(default_factory=dict)
    """By the id of the subscribing call: purpose and campaign of each consent that the batch adds."""
    withdrawals: list[UnsubscribeEvent] = field(default_factory=list)
    """Withdrawals that the batch adds."""


@dataclass(slots=True)
class ConsentBatch:
    """The consents that a batch of calls may change."""

    kinds: ClassVar = frozenset({Kind.SUBSCRIBE, Kind.UNSUBSCRIBE})

    _histories: defaultdict[ListMember, _StoredHistory] = field(
        default_factory=lambda: defaultdict(_StoredHistory)
    )

    @classmethod
    async def load(
        cls, db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
    ) -> Self:
        """Read the consents of these callers on the lists of the campaigns that they called."""
        since: dict[ListMember, datetime] = {}
        if not any(campaign.subscribe or campaign.unsubscribe for campaign in policy.campaigns):
            return cls()
        for call in calls:
            campaign, _ = policy.campaign_of_call(call)
            if campaign is None or call.caller is None or call.not_missed is not None:
                continue
            at = effective_call_time(call, received_at)
            for list_policy in (campaign.subscribe, campaign.unsubscribe):
                if list_policy is not None:
                    member = (list_policy.list, call.caller)
                    since[member] = min(at, since.get(member, at))
        return await cls.load_members(db, since)

    @classmethod
    async def load_members(cls, db: Database, since: Mapping[ListMember, datetime]) -> Self:
        """Read what can matter to events of these members from the given instants on."""
        batch = cls()
        if not since:
            return batch
        wanted = json.dumps([(*member, to_us(at)) for member, at in since.items()])
        events: defaultdict[ListMember, list[SubscribeEvent | UnsubscribeEvent]] = defaultdict(list)
        for name, number, row_id, call_id, at_us, status, ended_us, by, ended_call_id in await db.fetch_all(
            _CONSENTS, (wanted,)
        ):
            member, subscribed = (name, number), SubscribeEvent(from_us(at_us), call_id)
            withdrawal = None if ended_us is None else UnsubscribeEvent(from_us(ended_us), by, ended_call_id)
            consent = Consent(subscribed, ConsentStatus(status), withdrawal)
            batch._histories[member].stored[call_id] = (row_id, consent)
            events[member].append(subscribed)
            if withdrawal is not None and withdrawal.at < since[member]:
                events[member].append(withdrawal)
        for name, number, at_us, by, call_id in await db.fetch_all(_WITHDRAWALS, (wanted,)):
            events[name, number].append(UnsubscribeEvent(from_us(at_us), by, call_id))
        for member, member_events in events.items():
            batch._histories[member].history = ConsentHistory.from_events(member_events)
        return batch

    def record(self, admission: Admission, call: InboundCall, call_id: int) -> Admission:
        """Apply the call to its lists; the result is the reason of the list's action."""
        if call.caller is None or not any(planned.kind in _LIST_KINDS for planned in admission.actions):
            return admission
        number = call.caller
        actions = tuple(self._apply(planned, admission, number, call_id) for planned in admission.actions)
        return replace(admission, actions=actions)

    def _apply(
        self, planned: PlannedAction, admission: Admission, number: str, call_id: int
    ) -> PlannedAction:
        at = admission.called_at
        match planned.kind:
            case Kind.SUBSCRIBE:
                member = self._histories[planned.details["list"], number]
                member.new[call_id] = (planned.details["purpose"], admission.campaign or "")
                return replace(planned, reason=member.history.add_subscribe(SubscribeEvent(at, call_id)))
            case Kind.UNSUBSCRIBE:
                withdrawal = UnsubscribeEvent(at, WITHDRAWN_BY_CALL, call_id)
                return replace(planned, reason=self.withdraw((planned.details["list"], number), withdrawal))
        return planned

    def history(self, member: ListMember) -> ConsentHistory:
        return self._histories[member].history

    def withdraw(self, member: ListMember, withdrawal: UnsubscribeEvent) -> Reason:
        """Take a number off a list; returns what came of it."""
        stored = self._histories[member]
        stored.withdrawals.append(withdrawal)
        return stored.history.add_unsubscribe(withdrawal)

    async def save(self, db: Database) -> None:
        """Write what has changed."""
        inserted: list[tuple[object, ...]] = []
        ended: list[tuple[object, ...]] = []
        revived: list[tuple[object, ...]] = []
        withdrawn: list[tuple[object, ...]] = []
        for (name, number), member in self._histories.items():
            withdrawn += [
                (name, number, to_us(withdrawal.at), withdrawal.by, withdrawal.call_id)
                for withdrawal in member.withdrawals
            ]
            for consent in member.history.consents():
                call_id = consent.subscribed_by.call_id
                if call_id in member.new:
                    at_us = to_us(consent.subscribed_by.at)
                    row = (name, number, *member.new[call_id], call_id, at_us, *_status_values(consent))
                    inserted.append(row)
                    continue
                row_id, stored = member.stored[call_id]
                if stored != consent:
                    changed = revived if consent.status is ConsentStatus.IN_FORCE else ended
                    changed.append((*_status_values(consent), row_id))
        # At most one consent of a member is in force. The unique index checks this row by row, so consents
        # end before others are revived or inserted.
        await db.executemany(_UPDATE, ended)
        await db.executemany(_UPDATE, revived)
        await db.executemany(_INSERT, inserted)
        await db.executemany(
            "INSERT INTO withdrawals (list, number, at, by, call_id) VALUES (?, ?, ?, ?, ?)", withdrawn
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


_WANTED = """
WITH wanted AS (SELECT value ->> 0 AS list, value ->> 1 AS number, CAST(value ->> 2 AS BIGINT) AS since_at
                FROM json_each(?))
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
    """Take a number off the list `name` for the operator `by`; False if the number was not on it."""
    member = (name, number)
    batch = await ConsentBatch.load_members(db, {member: now})
    history = batch.history(member)
    if not history.is_subscribed:
        return False
    batch.withdraw(member, UnsubscribeEvent(withdrawal_time(now, history), by))
    await batch.save(db)
    return True


async def latest_subscribed_at(db: Database, numbers: Iterable[str]) -> dict[str, datetime]:
    """By number: when it last joined any list, for those of `numbers` that ever joined one."""
    rows = await db.fetch_all(
        """SELECT number, max(consented_at) FROM subscriptions
           WHERE number IN (SELECT value FROM json_each(?)) GROUP BY number""",
        (json.dumps(sorted(numbers)),),
    )
    return {number: from_us(at_us) for number, at_us in rows}
