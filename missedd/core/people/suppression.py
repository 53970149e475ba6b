"""What a suppression forbids: all contact, our calls, or certain SMS.

Examples: a number on the DND register gets no promotional SMS, but gets the SMS of its bank. A number that
opted out of the sender `EXAMPL` may get SMS from another sender. A landline gets no SMS at all. So a refusal
forbids only what it is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.policy import MessageClass
from missedd.core.reasons import Reason


class Channel(StrEnum):
    ALL = "all"
    SMS = "sms"
    CALLS = "calls"


class RefusedSmsClass(StrEnum):
    """Which SMS to a number the mobile operators refuse, if they do not refuse all."""

    PROMOTIONAL = "promotional"
    """The number is on the register of people who do not want advertising (DND)."""
    SENDER = "sender"
    """The person opted out of one sender."""
    TAKES_NO_SMS = "takes-no-sms"
    """An SMS cannot reach the number."""


@fast_dataclass(frozen=True, slots=True)
class Restriction:
    """What one suppression forbids. `sender` is set if the class is `SENDER`."""

    channel: Channel = Channel.ALL
    sms_class: RefusedSmsClass | None = None
    sender: str = ""


BLOCKS_ALL: Final = Restriction()
BLOCKS_CALLS: Final = Restriction(Channel.CALLS)
"""The register refused a call. The number's next missed call ends this, because calling us asks for a
callback."""

BLOCKS_PROMOTIONAL_SMS: Final = Restriction(Channel.SMS, RefusedSmsClass.PROMOTIONAL)
BLOCKS_SMS: Final = Restriction(Channel.SMS, RefusedSmsClass.TAKES_NO_SMS)

_LEARNED_DURATION: Final = timedelta(days=30)
"""How long a learned restriction lasts: numbers get new owners, and lines new phones."""


def restriction_from_refusal(sms_class: RefusedSmsClass, sender: str | None) -> Restriction | None:
    """The restriction that a refused SMS of this sender teaches; None if the sender is not known any more."""
    match sms_class:
        case RefusedSmsClass.PROMOTIONAL:
            return BLOCKS_PROMOTIONAL_SMS
        case RefusedSmsClass.TAKES_NO_SMS:
            return BLOCKS_SMS
        case RefusedSmsClass.SENDER:
            return Restriction(Channel.SMS, RefusedSmsClass.SENDER, sender) if sender else None


def restriction_duration(restriction: Restriction) -> timedelta | None:
    """How long a learned restriction lasts; None: for ever."""
    return (
        _LEARNED_DURATION
        if restriction.channel is Channel.CALLS or restriction.sms_class is RefusedSmsClass.TAKES_NO_SMS
        else None
    )


def blocks_calls(restrictions: Iterable[Restriction]) -> bool:
    return any(each.channel is Channel.CALLS for each in restrictions)


def sms_block_reason(
    restrictions: Iterable[Restriction], message_class: MessageClass, sender: str, *, confirms_opt_out: bool
) -> Reason | None:
    """Why an SMS must not be sent, by the number's restrictions; None if it may.

    The register blocks only promotional messages, and never the SMS that confirms an opt-out.
    """
    for restriction in restrictions:
        if restriction.channel is not Channel.SMS:
            continue
        match restriction.sms_class:
            case RefusedSmsClass.TAKES_NO_SMS:
                return Reason.TAKES_NO_SMS
            case RefusedSmsClass.PROMOTIONAL if (
                message_class is not MessageClass.PROMOTIONAL or confirms_opt_out
            ):
                continue
            case RefusedSmsClass.SENDER if restriction.sender.casefold() != sender.casefold():
                continue
        return Reason.REFUSES_SMS
    return None
