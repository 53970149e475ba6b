"""Verifications on disk: started, proved by the calls of a batch, told of, and then final."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from missedd.base.clock import from_us, to_us
from missedd.core.admission.decide import own_time
from missedd.core.admission.plans import verified_webhook
from missedd.core.model import Admission, InboundCall, Kind, PlannedAction
from missedd.core.people.verification import (
    EARLY,
    TABLE,
    NotStarted,
    Status,
    Step,
    Verification,
    attempt,
    has_lapsed,
    may_start_at,
    supersession,
)
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import WINDOW
from missedd.store.db.database import Database, Rows
from missedd.store.db.json_values import iso, words

type Attempted = tuple[str, str, int]
"""Number, campaign and the call's own time."""


@dataclass(slots=True)
class Proofs:
    """What the calls of a batch may prove; a verification that one of them proved proves nothing more."""

    _meant: dict[Attempted, str] = field(default_factory=dict)
    _known: dict[str, Verification] = field(default_factory=dict)
    _proved: list[tuple[object, ...]] = field(default_factory=list)

    def record(
        self, admission: Admission, policy: Policy, number: str, call_id: int, received_at: datetime
    ) -> Admission:
        """The admission with what the call proved as its action's reason, and the webhook that tells it."""
        campaign = policy.campaign(admission.campaign or "")
        if campaign is None or not any(each.kind is Kind.VERIFY for each in admission.actions):
            return admission
        actions: list[PlannedAction] = []
        for planned in admission.actions:
            if planned.kind is not Kind.VERIFY:
                actions.append(planned)
                continue
            meant = self._known.get(self._meant.get((number, campaign.name, to_us(admission.called_at)), ""))
            reason = attempt(meant, admission.called_at)
            actions.append(replace(planned, reason=reason))
            if reason is Reason.VERIFIED and meant is not None:
                self._prove(meant, call_id, received_at)
                actions += verified_webhook(campaign, policy, admission.called_at, meant.id, received_at)
        return replace(admission, actions=tuple(actions))

    def _prove(self, verification: Verification, call_id: int, now: datetime) -> None:
        follows, reason = TABLE[verification.status, Step.RING]
        self._known[verification.id] = replace(verification, status=follows)
        self._proved.append((follows, reason, to_us(now), call_id, verification.id))

    async def keep(self, db: Database) -> None:
        """Write what was proved."""
        await db.executemany(_CLOSE, self._proved)


_CLOSE = "UPDATE verifications SET status = ?, reason = ?, closed_at = ?, call_id = ? WHERE id = ?"


async def open_proofs(
    db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
) -> Proofs:
    """The verifications that these calls may be meant for; no reading where no campaign verifies."""
    proofs = Proofs()
    wanted: dict[Attempted, None] = {}
    if any(each.verify for each in policy.campaigns):
        for call in calls:
            campaign, _ = policy.owner(call)
            if campaign is not None and campaign.verify is not None and call.caller is not None:
                wanted[call.caller, campaign.name, to_us(own_time(call, received_at))] = None
    if not wanted:
        return proofs
    # The one that is pending comes first, as after a step of the clock a closed one may seem younger.
    rows = await db.fetch_all(
        """WITH wanted AS (SELECT value ->> 0 AS number, value ->> 1 AS campaign, value ->> 2 AS called_at
                           FROM json_each(?))
           SELECT w.number, w.campaign, w.called_at, v.id, v.created_at, v.expires_at, v.status
           FROM wanted w JOIN verifications v ON v.id = (
               SELECT id FROM verifications x
               WHERE x.number = w.number AND x.campaign = w.campaign AND x.created_at <= w.called_at + ?
               ORDER BY x.status = 'pending' DESC, x.created_at DESC LIMIT 1)""",
        (json.dumps(list(wanted)), EARLY // timedelta(microseconds=1)),
    )
    for number, campaign_name, called_us, *found in rows:
        proofs._meant[number, campaign_name, called_us] = found[0]
        proofs._known[found[0]] = _verification(found)
    return proofs


def _verification(row: Sequence[Any]) -> Verification:
    return Verification(row[0], from_us(row[1]), from_us(row[2]), Status(row[3]))


async def start(
    db: Database, verification_id: str, number: str, campaign: Campaign, now: datetime
) -> dict[str, Any] | NotStarted:
    """Start a verification in place of one that is pending, unless the number has started too many."""
    if campaign.verify is None:
        return NotStarted(Reason.VERIFIES_NOTHING)
    rows = await db.fetch_all(
        """SELECT id, created_at, expires_at, status FROM verifications
           WHERE number = ? AND campaign = ? AND (created_at > ? OR status = 'pending')""",
        (number, campaign.name, to_us(now - WINDOW)),
    )
    others = [_verification(row) for row in rows]
    retry_at = may_start_at((each.created_at for each in others), now, campaign.verify.max_per_hour)
    if retry_at > now:
        return NotStarted(Reason.TOO_MANY_VERIFICATIONS, retry_at)
    for each in others:
        if each.status is Status.PENDING:
            await _close(db, each, supersession(each, now), now)
    await db.execute(
        """INSERT INTO verifications (id, number, campaign, exophone, created_at, expires_at, status, reason)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            verification_id,
            number,
            campaign.name,
            campaign.exophones[0],
            to_us(now),
            to_us(now + campaign.verify.ttl),
            Status.PENDING,
            Reason.AWAITING_CALL,
        ),
    )
    started = await fetch_verification(db, verification_id)
    if started is None:
        raise AssertionError("what was just written is there")
    return started


async def tell(db: Database, verification_id: str, now: datetime) -> dict[str, Any] | None:
    """A verification as it stands at `now`; telling that it has expired is what makes that final."""
    rows = await db.fetch_all(
        "SELECT id, created_at, expires_at, status FROM verifications WHERE id = ?", (verification_id,)
    )
    for row in rows:
        found = _verification(row)
        if has_lapsed(found, now):
            await _close(db, found, Step.LAPSE, now)
    return await fetch_verification(db, verification_id)


async def _close(db: Database, verification: Verification, event: Step, now: datetime) -> None:
    status, reason = TABLE[verification.status, event]
    await db.execute(_CLOSE, (status, reason, to_us(now), None, verification.id))


async def fetch_verification(db: Rows, verification_id: str) -> dict[str, Any] | None:
    """A verification as the API shows it, or None if no one has this id."""
    rows = await db.fetch_all(
        """SELECT v.id, v.number, v.campaign, v.exophone, v.created_at, v.expires_at, v.status, v.reason,
                  v.closed_at, c.call_sid
           FROM verifications v LEFT JOIN calls c ON c.id = v.call_id WHERE v.id = ?""",
        (verification_id,),
    )
    if not rows:
        return None
    (row,) = rows
    return {
        "id": row[0],
        "number": row[1],
        "campaign": row[2],
        "call": row[3],
        "created_at": iso(row[4]),
        "expires_at": iso(row[5]),
        "status": row[6],
        "reason": row[7],
        "reason_words": words(row[7]),
        "verified_at": iso(row[8]) if row[6] == Status.VERIFIED else None,
        "call_sid": row[9],
    }
