"""Verifications on disk: started, proved by the calls of a batch, and marked as expired when read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self

from missedd.base.clock import from_us, to_us
from missedd.core.admission.decide import effective_call_time
from missedd.core.admission.plans import plan_verified_webhook
from missedd.core.api_types.verifications import VerificationJson
from missedd.core.model import Admission, InboundCall, Kind, PlannedAction
from missedd.core.people.verification import (
    CLOCK_TOLERANCE,
    VERIFICATION_TRANSITIONS,
    Verification,
    VerificationEvent,
    VerificationRefusal,
    VerificationStatus,
    check_call,
    has_expired,
    next_start_at,
    superseding_event,
)
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import CAP_WINDOW
from missedd.store.db.columns import Columns
from missedd.store.db.database import Database, ReadOnlyDatabase

type VerificationCall = tuple[str, str, int]
"""Number, campaign, and the call's own time in microseconds since 1970 UTC."""


@dataclass(slots=True)
class VerificationBatch:
    """The verifications that the calls of a batch may prove; one that is proved proves nothing more."""

    kinds: ClassVar = frozenset({Kind.VERIFY})

    policy: Policy
    received_at: datetime
    _ids_by_call: dict[VerificationCall, str] = field(default_factory=dict)
    _by_id: dict[str, Verification] = field(default_factory=dict)
    _verified_rows: list[tuple[object, ...]] = field(default_factory=list)

    @classmethod
    async def load(
        cls, db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
    ) -> Self:
        """Read the latest verification that each of these calls may be meant for."""
        batch = cls(policy, received_at)
        wanted: dict[VerificationCall, None] = {}
        if any(campaign.verify for campaign in policy.campaigns):
            for call in calls:
                campaign, _ = policy.campaign_of_call(call)
                if campaign is not None and campaign.verify is not None and call.caller is not None:
                    wanted[call.caller, campaign.name, to_us(effective_call_time(call, received_at))] = None
        if not wanted:
            return batch
        # A pending one comes first: after a step of the clock a closed one may seem younger.
        rows = await db.fetch_all(
            """WITH wanted AS (SELECT value ->> 0 AS number, value ->> 1 AS campaign,
                                      CAST(value ->> 2 AS BIGINT) AS called_at FROM json_each(?))
               SELECT w.number, w.campaign, w.called_at, v.id, v.created_at, v.expires_at, v.status
               FROM wanted w JOIN verifications v ON v.id = (
                   SELECT id FROM verifications x
                   WHERE x.number = w.number AND x.campaign = w.campaign AND x.created_at <= w.called_at + ?
                   ORDER BY x.status = 'pending' DESC, x.created_at DESC LIMIT 1)""",
            (json.dumps(list(wanted)), CLOCK_TOLERANCE // timedelta(microseconds=1)),
        )
        for number, campaign_name, called_us, *row in rows:
            verification = _parse_verification(row)
            batch._ids_by_call[number, campaign_name, called_us] = verification.id
            batch._by_id[verification.id] = verification
        return batch

    def record(self, admission: Admission, call: InboundCall, call_id: int) -> Admission:
        """Set what the call proved as the reason of its action, and add the webhook that reports it."""
        if not any(planned.kind is Kind.VERIFY for planned in admission.actions):
            return admission
        campaign = self.policy.campaign(admission.campaign or "")
        if campaign is None or call.caller is None:
            return admission
        at = admission.called_at
        actions: list[PlannedAction] = []
        for planned in admission.actions:
            if planned.kind is not Kind.VERIFY:
                actions.append(planned)
                continue
            verification = self._by_id.get(self._ids_by_call.get((call.caller, campaign.name, to_us(at)), ""))
            reason = check_call(verification, at)
            actions.append(replace(planned, reason=reason))
            if reason is Reason.VERIFIED and verification is not None:
                self._mark_verified(verification, call_id)
                actions += plan_verified_webhook(campaign, self.policy, at, verification.id, self.received_at)
        return replace(admission, actions=tuple(actions))

    def _mark_verified(self, verification: Verification, call_id: int) -> None:
        status, reason = VERIFICATION_TRANSITIONS[verification.status, VerificationEvent.CALL_RECEIVED]
        self._by_id[verification.id] = replace(verification, status=status)
        self._verified_rows.append((status, reason, to_us(self.received_at), call_id, verification.id))

    async def save(self, db: Database) -> None:
        """Write which verifications were proved."""
        await db.executemany(_CLOSE, self._verified_rows)


_CLOSE = "UPDATE verifications SET status = ?, reason = ?, closed_at = ?, call_id = ? WHERE id = ?"


def _parse_verification(row: Sequence[Any]) -> Verification:
    return Verification(row[0], from_us(row[1]), from_us(row[2]), VerificationStatus(row[3]))


async def start_verification(
    db: Database, verification_id: str, number: str, campaign: Campaign, now: datetime
) -> VerificationJson | VerificationRefusal:
    """Start a verification in place of a pending one, and return it, or why it was refused.

    A number may start `max_per_hour` verifications an hour in a campaign.
    """
    if campaign.verify is None:
        return VerificationRefusal(Reason.VERIFIES_NOTHING)
    rows = await db.fetch_all(
        """SELECT id, created_at, expires_at, status FROM verifications
           WHERE number = ? AND campaign = ? AND (created_at > ? OR status = 'pending')""",
        (number, campaign.name, to_us(now - CAP_WINDOW)),
    )
    others = [_parse_verification(row) for row in rows]
    created = (verification.created_at for verification in others)
    retry_at = next_start_at(created, now, campaign.verify.max_per_hour)
    if retry_at > now:
        return VerificationRefusal(Reason.TOO_MANY_VERIFICATIONS, retry_at)
    for verification in others:
        if verification.status is VerificationStatus.PENDING:
            await _close(db, verification, superseding_event(verification, now), now)
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
            VerificationStatus.PENDING,
            Reason.AWAITING_CALL,
        ),
    )
    started = await fetch_verification(db, verification_id)
    if started is None:
        raise AssertionError("the verification that was just inserted exists")
    return started


async def expire_and_fetch_verification(
    db: Database, verification_id: str, now: datetime
) -> VerificationJson | None:
    """Return the verification, or None.

    An expired one is marked expired before it is returned, so a late webhook cannot verify it afterwards.
    """
    rows = await db.fetch_all(
        "SELECT id, created_at, expires_at, status FROM verifications WHERE id = ?", (verification_id,)
    )
    for row in rows:
        verification = _parse_verification(row)
        if has_expired(verification, now):
            await _close(db, verification, VerificationEvent.EXPIRE, now)
    return await fetch_verification(db, verification_id)


async def _close(db: Database, verification: Verification, event: VerificationEvent, now: datetime) -> None:
    status, reason = VERIFICATION_TRANSITIONS[verification.status, event]
    await db.execute(_CLOSE, (status, reason, to_us(now), None, verification.id))


_VERIFICATION: Final = Columns(
    VerificationJson,
    "v",
    call="v.exophone",
    verified_at="iif(v.status = 'verified', v.closed_at, NULL)",
    call_sid="c.call_sid",
)


async def fetch_verification(db: ReadOnlyDatabase, verification_id: str) -> VerificationJson | None:
    """A verification as the API shows it, or None if there is none with this id."""
    rows = await db.fetch_all(
        f"""SELECT {_VERIFICATION.sql} FROM verifications v LEFT JOIN calls c ON c.id = v.call_id
            WHERE v.id = ?""",  # noqa: S608 - constants
        (verification_id,),
    )
    return _VERIFICATION.read(rows[0]) if rows else None
