"""Numbers that are not contacted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import field

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Instant, SuppressedNumber, about, one_of
from missedd.core.people.suppression import Channel, RefusedSmsClass


class SuppressionJson(ApiObject, frozen=True):
    """A number that is not contacted, or not in every way."""

    csv_after: ClassVar[Mapping[str, str]] = {"call_sid": "channel"}

    number: SuppressedNumber
    reason: str
    source: Annotated[str, one_of(("api", "cli", "console", "provider", "opt-out"))]
    since: Instant
    until: Instant | None
    channel: Annotated[str, one_of(Channel)]
    class_: Annotated[
        Annotated[str, one_of(RefusedSmsClass)] | None,
        about(
            "Which SMS the operators refuse, where it is not all of them: the promotional ones, those of one "
            "sender, or any, as the number takes no SMS."
        ),
    ] = field(name="class")
    sender: Annotated[str | None, about("Of the class `sender`: whose SMS are refused.")]
    call_sid: Annotated[str | None, about("Of an opt-out: the call that asked for it.")]


class SuppressedJson(ApiObject, frozen=True):
    """The answer to who suppressed a number."""

    number: SuppressedNumber
    reason: str
    until: Instant | None
