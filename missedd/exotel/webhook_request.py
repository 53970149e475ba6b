"""The seam between HTTP and Exotel's meaning: a request as plain values, and a refusal of one.

No web framework is known here or above this room, so the listener can be replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from missedd.base.value_type import fast_dataclass


@fast_dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One HTTP request as it arrived. Header names are lower case; nothing is decoded yet."""

    method: str
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@fast_dataclass(frozen=True, slots=True)
class RequestRejection:
    """Why a request was not understood: an HTTP status of the 4xx kind, and words for its sender.

    `detail` names the field and the remedy and never repeats a whole phone number or a token.
    """

    status: int
    title: str
    detail: str
