"""Conversions: what the business said its callers became."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, Number, about


class ConversionJson(ApiObject, frozen=True):
    """A conversion, and the call that it is put down to."""

    id: Count
    reference: str
    campaign: str
    number: Number
    call_sid: Annotated[str | None, about("The missed call that it is put down to.")]
    at: Instant
    value: float | None
    lead: Annotated[int | None, about("The id of the lead, where the campaign keeps any.")]
    created_at: Instant


class ConvertedJson(ConversionJson, frozen=True):
    """The answer to who said a conversion."""

    repeated: Annotated[bool, about("The reference was known.")]
    differs: Annotated[list[str], about("What was said otherwise this time.")]


class BatchItemJson(ApiObject, frozen=True):
    """What became of one conversion of a batch: its status is what it would have had alone."""

    status: Annotated[int, Meta(extra_json_schema={"enum": [200, 201, 400, 404]})]
    detail: str | None
    field: str | None
    conversion: ConvertedJson | None


class BatchAnswerJson(ApiObject, frozen=True):
    """An answer for each conversion of a batch, in their order."""

    items: list[BatchItemJson]
