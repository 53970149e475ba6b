"""Consents: who joined a list, by which call, and how that ended."""

from __future__ import annotations

from typing import Annotated

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Instant, Number, about, one_of
from missedd.core.people.consent import ConsentStatus


class SubscriptionJson(ApiObject, frozen=True):
    """A consent with its evidence."""

    list: str
    number: Number
    purpose: str
    state: Annotated[str, one_of((ConsentStatus.IN_FORCE, ConsentStatus.WITHDRAWN))]
    campaign: str
    exophone: Annotated[Number, about("The ExoPhone that was rung, E.164.")]
    call_sid: Annotated[str, about("The evidence: the missed call by which the number joined.")]
    consented_at: Annotated[Instant, about("That call's own time.")]
    withdrawn_at: Instant | None
    withdrawn_by: Annotated[str, one_of(("missed-call", "api", "cli", "console"))] | None
    withdrawal_call_sid: str | None
