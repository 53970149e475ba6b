"""The people at the other end of the line, and how each behaves when rung or texted.

Nothing here moves by itself: the exchange asks a person what they do and acts it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from simulator.base.choices import Choice


class RingResponse(Choice):
    """What somebody does when their telephone rings."""

    ANSWER = "answer"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    HANGUP = "hangup"
    """Takes the call and hangs up a second later: as first party, while the second still rings."""
    UNREACHABLE = "unreachable"
    CANCELED = "canceled"
    """The network gives the call up while it rings."""
    MACHINE = "machine"
    """An answering machine takes the call, and listens for as long as the person would have talked."""


class SmsDeliveryResult(Choice):
    """What becomes of an SMS to somebody. Each word stands for one of Exotel's codes (`sms_codes`)."""

    DELIVERED = "delivered"
    TO_OPERATOR = "delivered-to-operator"
    """Delivered as far as the operator tells; no handset report ever follows."""

    # The person, or their number.
    DND = "dnd"
    """On the register: promotional texts are refused, all others are delivered."""
    OPTED_OUT = "opted-out"
    """Of every sender; `opted_out_of` names some."""
    INVALID = "invalid"
    UNKNOWN_SUBSCRIBER = "unknown-subscriber"

    # This time.
    UNAVAILABLE = "unavailable"
    NO_ROUTE = "no-route"
    EXPIRED = "expired"
    REJECTED = "rejected"
    HANDSET_ERROR = "handset-error"
    OPERATOR_ERROR = "operator-error"

    # The text, its sender or its template, as the operator of this person sees it.
    SPAM = "spam"
    INVALID_MESSAGE = "invalid-message"
    DLT_SENDER = "dlt-sender"
    DLT_SENDER_BLOCKED = "dlt-sender-blocked"
    DLT_ENTITY = "dlt-entity"
    DLT_ENTITY_BLOCKED = "dlt-entity-blocked"
    DLT_TEMPLATE = "dlt-template"
    DLT_TEMPLATE_BLOCKED = "dlt-template-blocked"
    DLT_NO_TEMPLATE = "dlt-no-template"
    DLT_LENGTH = "dlt-length"
    DLT_CONSENT = "dlt-consent"
    DLT_SCRUBBING = "dlt-scrubbing"

    @classmethod
    def _missing_(cls, value: object) -> Self:
        # The word of before: it read like a failure.
        return cls("delivered-to-operator") if value == "operator" else super()._missing_(value)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a telephone. `number` is E.164.

    `answers` may be a tuple: one behaviour for each ring in turn, the last one for ever after.
    `ring_s` is how long they let it ring before taking it, `talks_s` how long they then talk.
    `lines` is how many calls they take at a time; None leaves it to the numbering plan (`numbering_plan.py`).
    `opted_out_of` names the senders of whom they want no SMS.
    `dnd` puts the number on the do-not-disturb register, which refuses calls to people who have
    not rung an ExoPhone themselves; it says nothing about SMS, for which there is `sms`.
    `rings_back` is after how many seconds they ring the number that they missed a call of: one wait
    for each missed call in turn, then they let it be.
    """

    number: str
    name: str = "Anyone"
    answers: RingResponse | tuple[RingResponse, ...] = RingResponse.ANSWER
    sms: SmsDeliveryResult = SmsDeliveryResult.DELIVERED
    ring_s: float = 6.0
    talks_s: float = 45.0
    opted_out_of: tuple[str, ...] = ()
    lines: int | None = None
    dnd: bool = False
    rings_back: tuple[float, ...] = ()

    def response_to_ring(self, ring_index: int) -> RingResponse:
        """What they do when rung for the (`ring_index` + 1)-th time."""
        if isinstance(self.answers, RingResponse):
            return self.answers
        return self.answers[min(ring_index, len(self.answers) - 1)]


class PersonRegistry:
    """Who is known by which number. Anyone else answers, talks and receives SMS."""

    def __init__(self, known: Iterable[Person] = ()) -> None:
        self._known = {person.number: person for person in known}

    def add(self, person: Person) -> Person:
        """Make somebody known, in place of whoever had the number."""
        self._known[person.number] = person
        return person

    def find(self, number: str) -> Person:
        return self._known.get(number) or Person(number)
