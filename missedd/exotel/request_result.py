"""The result of one request to the provider or an application. Results are data, never exceptions."""

from __future__ import annotations

from dataclasses import dataclass

from missedd.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request was accepted. `provider_sid` is the provider's id of the call or SMS; "" for a webhook."""

    provider_sid: str = ""
    code: str = "200"


@dataclass(frozen=True, slots=True)
class Refused:
    """The request surely had no effect. `retry_after_s` is the wait in seconds that the answer asked for."""

    retryable: bool
    code: str
    reason: Reason
    message: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may or may not have had its effect: the answer was lost or unreadable."""

    code: str
    reason: Reason = Reason.REPLY_LOST
    message: str = ""


type Answer = Accepted | Refused | Unknown
