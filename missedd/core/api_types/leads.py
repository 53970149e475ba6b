"""Leads: persons who rang a campaign, each once."""

from __future__ import annotations

from typing import Annotated

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, Number, about, one_of
from missedd.core.model import Outcome
from missedd.core.people.leads import LeadStatus


class LeadJson(ApiObject, frozen=True):
    """A person who rang a campaign."""

    id: Count
    campaign: str
    number: Number
    source: str
    status: Annotated[str, one_of(LeadStatus)]
    first_seen_at: Instant
    last_seen_at: Instant
    count: Annotated[Count, about("Missed calls, duplicates included.")]
    first_call_sid: str
    callback_outcome: Annotated[
        Annotated[str, one_of(Outcome)] | None,
        about("Of the latest callback that was placed and ended; if none was, of the latest."),
    ]
    contacted_at: Instant | None
    converted_at: Annotated[Instant | None, about("Of the conversion that came in first.")]
    updated_at: Instant
