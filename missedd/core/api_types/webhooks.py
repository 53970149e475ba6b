"""What an application is sent: the events of the outgoing webhooks."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import field

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Instant, Number, one_of
from missedd.core.model import Verdict
from missedd.core.people.verification import VerificationStatus
from missedd.core.reasons import Reason

ACCEPTED: Final = "missed_call.accepted"
VERIFIED: Final = "verification.verified"


class AcceptedCallJson(ApiObject, frozen=True):
    """A call that a campaign accepted."""

    call_sid: str
    from_: Number = field(name="from")
    to: Number
    campaign: str
    called_at: Instant
    received_at: Instant
    verdict: Annotated[str, one_of((Verdict.ACCEPTED,))]
    reason: Annotated[str, one_of((Reason.FIRST_CALL, Reason.NO_DEDUP_WINDOW))]


class MissedCallAcceptedJson(ApiObject, frozen=True):
    """A call was accepted by a campaign that has a webhook."""

    type: Annotated[str, one_of((ACCEPTED,))]
    timestamp: Instant
    data: AcceptedCallJson


class ProvedNumberJson(ApiObject, frozen=True):
    """A number that a call proved."""

    id: str
    number: Number
    campaign: str
    call_sid: str
    verified_at: Instant
    status: Annotated[str, one_of((VerificationStatus.VERIFIED,))]


class VerificationVerifiedJson(ApiObject, frozen=True):
    """A call proved a number that the application asked about."""

    type: Annotated[str, one_of((VERIFIED,))]
    timestamp: Instant
    data: ProvedNumberJson
