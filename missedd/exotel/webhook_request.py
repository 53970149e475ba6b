"""The interface between HTTP and Exotel's formats: a request as plain values, and its rejection.

No module of this package knows a web framework, so the listener can be replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from missedd.base.value_type import fast_dataclass


@fast_dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One HTTP request as it arrived. Header names are lower case; query and body are not decoded yet."""

    method: str
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@fast_dataclass(frozen=True, slots=True)
class RequestRejection:
    """Why a request was rejected: an HTTP status of 4xx, and an explanation for its sender.

    `detail` names the field and the remedy. It never contains a whole phone number or a token.
    """

    status: int
    title: str
    detail: str
