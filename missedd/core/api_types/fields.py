"""Kinds of values that many objects of the API have, with what their schemas say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, get_args

from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
_INSTANT: Final = Meta(extra_json_schema={"format": "date-time"})
Instant = Annotated[str, _INSTANT]
"""RFC 3339 in UTC, to the millisecond."""
Number = Annotated[
    str,
    Meta(
        description="E.164; `erased:` and a count in the place of a number that was erased",
        examples=["+919876543210"],
    ),
]
SuppressedNumber = Annotated[
    str,
    Meta(
        description="E.164, or with an asterisk the beginning of several numbers",
        examples=["+919876543210", "+232*"],
    ),
]


def is_instant(of: object) -> bool:
    """Whether a field of this type has an instant, or null."""
    return _INSTANT in getattr(of, "__metadata__", ()) or any(map(is_instant, get_args(of)))


def about(description: str) -> Meta:
    """What a field means, for the API's document."""
    return Meta(description=description)


def one_of(values: Iterable[str], description: str | None = None) -> Meta:
    """A text that is one of these. A value of a later version is shown as it is."""
    return Meta(description=description, extra_json_schema={"enum": [str(value) for value in values]})
