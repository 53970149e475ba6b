"""Verifications for an application: start one, and read its status."""

from __future__ import annotations

import base64
from functools import partial
from random import Random
from typing import Final

from missedd.base.clock import Clock
from missedd.core.api_types.verifications import VerificationJson
from missedd.core.people.verification import VerificationRefusal, VerificationStatus
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.log.logger import Event, Logger
from missedd.store.db.lock_keys import LockKeys
from missedd.store.people.verifications import (
    expire_and_fetch_verification,
    fetch_verification,
    start_verification,
)
from missedd.store.store import Store

ID_BYTES: Final = 18
"""Random bytes of an id. The id must be unguessable: anybody who has it can read the number behind it."""


class Verifications:
    """Starts verifications and reads their status."""

    def __init__(self, store: Store, policy: Policy, clock: Clock, rng: Random, log: Logger) -> None:
        """`rng` draws the ids. Outside a simulation it must be unpredictable."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._rng = rng
        self._log = log

    async def start(self, number: str, campaign: str) -> VerificationJson | VerificationRefusal:
        """Start to wait for a call from `number` (E.164). A pending verification of the number is superseded.

        Returns the verification as the API shows it, or why it was refused. Raises `NotDurable` if it
        could not be committed.
        """
        owner = self._policy.campaign(campaign)
        if owner is None:
            return VerificationRefusal(Reason.UNKNOWN_CAMPAIGN)
        new_id = base64.urlsafe_b64encode(self._rng.randbytes(ID_BYTES)).decode()
        unit = partial(
            start_verification, verification_id=new_id, number=number, campaign=owner, now=self._clock.now()
        )
        started = await self._store.write(unit, locks=LockKeys.of(number))
        if isinstance(started, VerificationRefusal):
            fields = {"number": number, "campaign": campaign, "reason": started.reason}
            self._log.log_throttled(
                "info", Event.VERIFICATION_REFUSED, f"{campaign} {started.reason}", **fields
            )
        else:
            self._log.info(Event.VERIFICATION_STARTED, number=number, campaign=campaign)
        return started

    async def verification(self, verification_id: str) -> VerificationJson | None:
        """Return the verification as the API shows it, or None.

        An expired one is marked expired before the answer is returned, so a late webhook cannot verify
        it afterwards. Raises `NotDurable` if that could not be committed.
        """
        known = await self._store.read(partial(fetch_verification, verification_id=verification_id))
        if known is None or known.status != VerificationStatus.PENDING:
            return known
        now = self._clock.now()
        return await self._store.write(
            partial(expire_and_fetch_verification, verification_id=verification_id, now=now),
            locks=LockKeys.of(known.number),
        )
