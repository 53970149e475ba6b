"""What a provider, or the application, said to one request: answers are data, never exceptions."""

from __future__ import annotations

from dataclasses import dataclass

from missedd.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """It was taken. `provider_sid` names it at the provider ("" where there is no such name)."""

    provider_sid: str = ""
    code: str = "200"


@dataclass(frozen=True, slots=True)
class Refused:
    """It surely had no effect. `retry_after_s` is the provider's own wish in seconds, if it had one."""

    retryable: bool
    code: str
    reason: Reason
    message: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have had its effect: the answer was lost, or makes no sense."""

    code: str
    reason: Reason = Reason.REPLY_LOST
    message: str = ""


type Answer = Accepted | Refused | Unknown
