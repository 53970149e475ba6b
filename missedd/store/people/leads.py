"""Leads: made by calls, and changed by callbacks, conversations, conversions and operators."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Self

from missedd.base.clock import to_us
from missedd.core.model import Admission, InboundCall, Kind, Outcome, Verdict
from missedd.core.people.leads import LeadEvent, LeadStatus, next_status
from missedd.core.policy import Policy
from missedd.store.db.database import Database

type LeadKey = tuple[str, str]
"""A campaign and a number: at most one lead."""

# A callback that was placed counts before one that a gate closed, and a later one before an earlier one. The
# plus keeps the index by campaign out of the plan.
_UPDATE_CALLBACK_OUTCOME = """
UPDATE leads SET updated_at = ?, callback_outcome = (
    SELECT coalesce(a.settled_outcome, a.outcome) FROM actions a
    WHERE a.number = leads.number AND a.kind = 'callback' AND +a.campaign = leads.campaign
      AND a.state = 'done'
    ORDER BY a.placed_at DESC NULLS LAST, a.closed_at DESC, a.id DESC LIMIT 1)
WHERE campaign = ? AND number = ?"""


_COUNT_CALLS = """
INSERT INTO leads (campaign, number, source, first_seen_at, last_seen_at, count, first_call_id, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (campaign, number) DO UPDATE SET
    first_seen_at = min(leads.first_seen_at, excluded.first_seen_at),
    last_seen_at = max(leads.last_seen_at, excluded.last_seen_at),
    count = leads.count + excluded.count,
    updated_at = excluded.updated_at"""


@dataclass(slots=True)
class _LeadCalls:
    """The calls of one person to one campaign in a batch; instants in microseconds since 1970 UTC."""

    source: str
    first_us: int
    last_us: int
    count: int
    first_id: int


@dataclass(slots=True)
class LeadBatch:
    """The leads that a batch of calls makes, or counts another call of."""

    kinds: ClassVar = frozenset({Kind.LEAD})

    policy: Policy
    received_at: datetime
    _calls: dict[LeadKey, _LeadCalls] = field(default_factory=dict)

    @classmethod
    async def load(
        cls, db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
    ) -> Self:
        """Nothing is read: the statement that writes a lead inserts it or counts one more call."""
        return cls(policy, received_at)

    def record(self, admission: Admission, call: InboundCall, call_id: int) -> Admission:
        """Count the call for its lead. A duplicate call counts too: that person has called again."""
        if admission.verdict not in (Verdict.ACCEPTED, Verdict.DUPLICATE) or admission.campaign is None:
            return admission
        campaign = self.policy.campaign(admission.campaign)
        if campaign is not None and campaign.lead_source is not None:
            at_us = to_us(admission.called_at)
            key = (campaign.name, call.caller or "")
            counted = self._calls.get(key)
            if counted is None:
                self._calls[key] = _LeadCalls(campaign.lead_source, at_us, at_us, 1, call_id)
            else:
                counted.first_us = min(counted.first_us, at_us)
                counted.last_us = max(counted.last_us, at_us)
                counted.count += 1
        return admission

    async def save(self, db: Database) -> None:
        """Write each lead once, however often that person called."""
        received_us = to_us(self.received_at)
        await db.executemany(
            _COUNT_CALLS,
            [
                (*key, calls.source, calls.first_us, calls.last_us, calls.count, calls.first_id, received_us)
                for key, calls in self._calls.items()
            ],
        )


async def update_callback_outcomes(db: Database, leads: Iterable[LeadKey], now: datetime) -> None:
    """Write to the leads of these people, if there are any, how their latest callback ended."""
    await db.executemany(
        _UPDATE_CALLBACK_OUTCOME, [(to_us(now), campaign, number) for campaign, number in sorted(set(leads))]
    )


async def update_lead_after_action(
    db: Database, kind: Kind, campaign: str, number: str, outcome: Outcome, now: datetime
) -> None:
    """Write to the lead what the end of an action means for it."""
    if kind is not Kind.CALLBACK:
        return
    await update_callback_outcomes(db, [(campaign, number)], now)
    if outcome is Outcome.ANSWERED:
        await mark_contacted(db, campaign, number, now)


async def mark_contacted(db: Database, campaign: str, number: str, now: datetime) -> None:
    """Mark the person's lead as contacted: the campaign has spoken with the person."""
    for lead_id, status in await db.fetch_all(
        "SELECT id, status FROM leads WHERE campaign = ? AND number = ?", (campaign, number)
    ):
        await db.execute(
            """UPDATE leads SET status = ?, contacted_at = coalesce(contacted_at, ?), updated_at = ?
               WHERE id = ?""",
            (next_status(LeadStatus(status), LeadEvent.SPOKEN_WITH), to_us(now), to_us(now), lead_id),
        )


async def mark_converted(db: Database, conversions: Iterable[tuple[int, datetime]], now: datetime) -> None:
    """Mark leads, given as (id, converted_at), as converted; the first `converted_at` stays."""
    first: dict[int, datetime] = {}
    for lead_id, at in conversions:
        first.setdefault(lead_id, at)
    rows = await db.fetch_all(
        "SELECT id, status FROM leads WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
        (json.dumps(list(first)),),
    )
    await db.executemany(
        """UPDATE leads SET status = ?, converted_at = coalesce(converted_at, ?), updated_at = ?
           WHERE id = ?""",
        [
            (next_status(LeadStatus(status), LeadEvent.CONVERTED), to_us(first[lead_id]), to_us(now), lead_id)
            for lead_id, status in rows
        ],
    )


@dataclass(frozen=True, slots=True)
class LeadStatusChange:
    """What a status that an operator set has replaced."""

    previous: LeadStatus


async def set_lead_status(
    db: Database, lead_id: int, status: LeadStatus, now: datetime
) -> LeadStatusChange | None:
    """Set the status of a lead for an operator; None if there is no such lead.

    Setting `new` clears `contacted_at`; `converted_at` stays.
    """
    rows = await db.fetch_all("SELECT status FROM leads WHERE id = ?", (lead_id,))
    if not rows:
        return None
    before = LeadStatus(rows[0][0])
    if before is not status:
        contacted_us = to_us(now) if status is LeadStatus.CONTACTED else None
        await db.execute(
            """UPDATE leads SET status = ?, updated_at = ?,
                   contacted_at = iif(? = 'new', NULL, coalesce(contacted_at, ?))
               WHERE id = ?""",
            (status, to_us(now), status, contacted_us, lead_id),
        )
    return LeadStatusChange(before)
