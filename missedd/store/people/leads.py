"""What becomes of leads: by their callbacks, by conversations and conversions, and by an operator's word."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from missedd.base.clock import to_us
from missedd.core.model import Kind, Outcome
from missedd.core.people.leads import LeadEvent, LeadStatus, next_status
from missedd.store.db.database import Database

type LeadKey = tuple[str, str]
"""A campaign and a number: at most one lead."""

# A callback that was placed says more than one that a gate ended; of two the later one. The plus keeps the
# index by campaign out of the plan.
_UPDATE_CALLBACK_OUTCOME = """
UPDATE leads SET updated_at = ?, callback_outcome = (
    SELECT coalesce(a.settled_outcome, a.outcome) FROM actions a
    WHERE a.number = leads.number AND a.kind = 'callback' AND +a.campaign = leads.campaign
      AND a.state = 'done'
    ORDER BY a.placed_at DESC NULLS LAST, a.closed_at DESC, a.id DESC LIMIT 1)
WHERE campaign = ? AND number = ?"""


async def update_callback_outcomes(db: Database, leads: Iterable[LeadKey], now: datetime) -> None:
    """Tell the leads of these people, if they are any, how their callbacks ended."""
    await db.executemany(
        _UPDATE_CALLBACK_OUTCOME, [(to_us(now), campaign, number) for campaign, number in sorted(set(leads))]
    )


async def update_lead_after_action(
    db: Database, kind: Kind, campaign: str, number: str, outcome: Outcome, now: datetime
) -> None:
    """Keep on the lead what an action that has ended means for it."""
    if kind is not Kind.CALLBACK:
        return
    await update_callback_outcomes(db, [(campaign, number)], now)
    if outcome is Outcome.ANSWERED:
        await mark_contacted(db, campaign, number, now)


async def mark_contacted(db: Database, campaign: str, number: str, now: datetime) -> None:
    """The campaign has spoken with the person."""
    for lead_id, status in await db.fetch_all(
        "SELECT id, status FROM leads WHERE campaign = ? AND number = ?", (campaign, number)
    ):
        await db.execute(
            """UPDATE leads SET status = ?, contacted_at = coalesce(contacted_at, ?), updated_at = ?
               WHERE id = ?""",
            (next_status(LeadStatus(status), LeadEvent.SPOKEN_WITH), to_us(now), to_us(now), lead_id),
        )


async def mark_converted(db: Database, conversions: Iterable[tuple[int, datetime]], now: datetime) -> None:
    """These leads (id, instant) have converted; the first time stays."""
    first: dict[int, datetime] = {}
    for lead_id, at in conversions:
        first.setdefault(lead_id, at)
    rows = await db.fetch_all(
        "SELECT id, status FROM leads WHERE id IN (SELECT value FROM json_each(?))",
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
    """What an operator's word changed; `before` is the status until then."""

    previous: LeadStatus


async def set_lead_status(
    db: Database, lead_id: int, status: LeadStatus, now: datetime
) -> LeadStatusChange | None:
    """Keep what an operator says of a lead; None if there is no such lead.

    Whoever says `new` says that nobody has spoken with the person. A conversion stays what it is.
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
