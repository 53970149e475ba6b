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

from missedd.base.value_type import value
from missedd.core.policy import MessageClass
from missedd.core.reasons import Reason


class Channel(StrEnum):
    ALL = "all"
    SMS = "sms"
    CALLS = "calls"


class Class(StrEnum):
    """Which SMS to a number the operators refuse, where it is not all of them."""

    PROMOTIONAL = "promotional"
    """The number is on the register of those who want no advertising."""
    SENDER = "sender"
    """The person opted out of one sender."""
    TAKES_NO_SMS = "takes-no-sms"
    """The number is none that an SMS reaches."""


@value(frozen=True, slots=True)
class Bar:
    """What one suppression bars. `sender` is said where the class is `SENDER`."""

    channel: Channel = Channel.ALL
    of: Class | None = None
    sender: str = ""


EVERYTHING: Final = Bar()
OUR_CALLS: Final = Bar(Channel.CALLS)
"""The register's refusal of a call. The number's next missed call ends it, as who rings asks to be rung."""

PROMOTIONS: Final = Bar(Channel.SMS, Class.PROMOTIONAL)
NO_SMS: Final = Bar(Channel.SMS, Class.TAKES_NO_SMS)

_LASTS: Final = timedelta(days=30)
"""How long it is believed: numbers get other owners, lines other telephones."""


def learned(of: Class, sender: str | None) -> Bar | None:
    """What the refusal of an SMS by this sender teaches; None where the sender is not known any more."""
    match of:
        case Class.PROMOTIONAL:
            return PROMOTIONS
        case Class.TAKES_NO_SMS:
            return NO_SMS
        case Class.SENDER:
            return Bar(Channel.SMS, Class.SENDER, sender) if sender else None


def lasts(bar: Bar) -> timedelta | None:
    """How long a learned bar stands; None for ever."""
    return _LASTS if bar.channel is Channel.CALLS or bar.of is Class.TAKES_NO_SMS else None


def bars_calls(bars: Iterable[Bar]) -> bool:
    return any(each.channel is Channel.CALLS for each in bars)


def refusal_of_sms(
    bars: Iterable[Bar], message_class: MessageClass, sender: str, *, confirms: bool
) -> Reason | None:
    """Why an SMS must not go, by what bars the number; None if it may.

    The register filters promotional messages only, and never the one that confirms an opting out.
    """
    for bar in bars:
        if bar.channel is not Channel.SMS:
            continue
        match bar.of:
            case Class.TAKES_NO_SMS:
                return Reason.TAKES_NO_SMS
            case Class.PROMOTIONAL if message_class is not MessageClass.PROMOTIONAL or confirms:
                continue
            case Class.SENDER if bar.sender.casefold() != sender.casefold():
                continue
        return Reason.REFUSES_SMS
    return None
