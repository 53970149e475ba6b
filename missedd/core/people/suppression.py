"""What a suppression bars: everything, our calls, or certain SMS, as whoever asked or refused meant it.

A number on the register is sent no promotional SMS, and its bank's all the same; one that opted out of
`EXAMPL` may be texted by another sender; a landline takes no SMS at all. What a refusal teaches about a
number says no more than that.
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
    """Which SMS to a number the operators refuse, where it is not all of them."""

    PROMOTIONAL = "promotional"
    """The number is on the register of those who want no advertising."""
    SENDER = "sender"
    """The person opted out of one sender."""
    TAKES_NO_SMS = "takes-no-sms"
    """The number is none that an SMS reaches."""


@fast_dataclass(frozen=True, slots=True)
class Restriction:
    """What one suppression bars. `sender` is said where the class is `SENDER`."""

    channel: Channel = Channel.ALL
    sms_class: RefusedSmsClass | None = None
    sender: str = ""


BLOCKS_ALL: Final = Restriction()
BLOCKS_CALLS: Final = Restriction(Channel.CALLS)
"""The register's refusal of a call. The number's next missed call ends it, as who rings asks to be rung."""

BLOCKS_PROMOTIONAL_SMS: Final = Restriction(Channel.SMS, RefusedSmsClass.PROMOTIONAL)
BLOCKS_SMS: Final = Restriction(Channel.SMS, RefusedSmsClass.TAKES_NO_SMS)

_LEARNED_DURATION: Final = timedelta(days=30)
"""How long it is believed: numbers get other owners, lines other telephones."""


def restriction_from_refusal(sms_class: RefusedSmsClass, sender: str | None) -> Restriction | None:
    """What the refusal of an SMS by this sender teaches; None where the sender is not known any more."""
    match sms_class:
        case RefusedSmsClass.PROMOTIONAL:
            return BLOCKS_PROMOTIONAL_SMS
        case RefusedSmsClass.TAKES_NO_SMS:
            return BLOCKS_SMS
        case RefusedSmsClass.SENDER:
            return Restriction(Channel.SMS, RefusedSmsClass.SENDER, sender) if sender else None


def restriction_duration(restriction: Restriction) -> timedelta | None:
    """How long a learned bar stands; None for ever."""
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
    """Why an SMS must not go, by what bars the number; None if it may.

    The register filters promotional messages only, and never the one that confirms an opting out.
    """
    for bar in restrictions:
        if bar.channel is not Channel.SMS:
            continue
        match bar.sms_class:
            case RefusedSmsClass.TAKES_NO_SMS:
                return Reason.TAKES_NO_SMS
            case RefusedSmsClass.PROMOTIONAL if (
                message_class is not MessageClass.PROMOTIONAL or confirms_opt_out
            ):
                continue
            case RefusedSmsClass.SENDER if bar.sender.casefold() != sender.casefold():
                continue
        return Reason.REFUSES_SMS
    return None
