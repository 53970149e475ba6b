"""Calls as they came in, and the story of one."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from missedd.core.api_types.actions import ActionJson, BriefActionJson
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, Number, about, one_of
from missedd.core.model import SHAPE_RECOVERED, SHAPE_SMS_APPLET, Verdict
from missedd.core.reasons import ANSWERED_REASONS


class CallJson(ApiObject, frozen=True):
    """A call that came in, and what was decided of it."""

    call_sid: str
    from_: Number | None = field(name="from")
    to: Number | None
    campaign: str | None
    called_at: Instant
    received_at: Instant
    verdict: Annotated[str, one_of(Verdict)]
    reason: str
    reason_words: str
    shape: Annotated[str, one_of(("native", "passthru", SHAPE_RECOVERED, SHAPE_SMS_APPLET))]
    redeliveries: Count
    reached_at: (
        Annotated[Instant, about("When it was told that somebody took the call, after it was decided.")]
        | None
    )
    reached_by: Annotated[str, one_of(ANSWERED_REASONS)] | None


class StoryJson(CallJson, frozen=True):
    """A call with everything that it led to."""

    verification: str | None
    actions: list[ActionJson]


class LatestCallJson(CallJson, frozen=True):
    """A call with its actions in brief."""

    actions: list[BriefActionJson]
