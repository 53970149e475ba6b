"""Verifications: numbers that an application has proved by a missed call."""

from __future__ import annotations

from typing import Annotated

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Instant, Number, about, one_of
from missedd.core.people.verification import VerificationStatus
from missedd.core.reasons import Reason


class VerificationJson(ApiObject, frozen=True):
    """A number that is to be proved by a missed call, and how far that is."""

    id: str
    number: Number
    campaign: str
    call: Annotated[Number, about("The ExoPhone that the number has to ring.")]
    created_at: Instant
    expires_at: Instant
    status: Annotated[str, one_of(VerificationStatus)]
    reason: Annotated[
        str, one_of((Reason.AWAITING_CALL, Reason.VERIFIED, Reason.NOT_RUNG_IN_TIME, Reason.SUPERSEDED))
    ]
    reason_words: str
    verified_at: Instant | None
    call_sid: Annotated[str | None, about("The missed call that proved the number.")]
