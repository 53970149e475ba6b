"""The audit record."""

from __future__ import annotations

from typing import Annotated, Any

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, about, one_of
from missedd.core.audit import Source


class AuditedJson(ApiObject, frozen=True):
    """Something that a person changed by hand."""

    id: Count
    at: Instant
    source: Annotated[str, one_of(Source)]
    peer: str | None
    deed: str
    subject: str
    details: Annotated[dict[str, Any], about("What else was said.")]
