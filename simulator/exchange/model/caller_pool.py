"""A pool of callers with names, Indian mobile numbers and behaviour, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from faker import Faker

from simulator.exchange.model.numbering_plan import is_mobile
from simulator.exchange.model.people import Person, RingResponse, SmsDeliveryResult

DEFAULT_RING_WEIGHTS: Mapping[RingResponse, int] = {
    RingResponse.ANSWER: 62,
    RingResponse.NO_ANSWER: 20,
    RingResponse.BUSY: 9,
    RingResponse.HANGUP: 4,
    RingResponse.UNREACHABLE: 5,
}
"""Percent of people. An estimate for people who asked for a callback; vary it freely."""

DEFAULT_SMS_WEIGHTS: Mapping[SmsDeliveryResult, int] = {
    SmsDeliveryResult.DELIVERED: 90,
    SmsDeliveryResult.TO_OPERATOR: 4,
    SmsDeliveryResult.UNAVAILABLE: 4,
    SmsDeliveryResult.INVALID: 1,
    SmsDeliveryResult.DND: 1,
}


class CallerPool:
    """An endless supply of different people. No number comes twice from one pool."""

    def __init__(
        self,
        seed: int,
        answers: Mapping[RingResponse, int] = DEFAULT_RING_WEIGHTS,
        sms_results: Mapping[SmsDeliveryResult, int] = DEFAULT_SMS_WEIGHTS,
    ) -> None:
        self._rng = Random(seed)  # noqa: S311 (repeatable on purpose)
        self._names = Faker("en_IN")
        self._names.seed_instance(seed)
        self._answers = answers
        self._sms_results = sms_results
        self._used_numbers: set[str] = set()

    def draw_caller(self) -> Person:
        """Return the next person, with behaviour drawn by the weights."""
        rng = self._rng
        return Person(
            number=self._draw_number(),
            name=self._names.name(),
            answers=rng.choices(list(self._answers), list(self._answers.values()))[0],
            sms=rng.choices(list(self._sms_results), list(self._sms_results.values()))[0],
            ring_s=round(rng.uniform(2, 18), 1),
            talks_s=round(min(rng.expovariate(1 / 60), 900) + 3, 1),
        )

    def draw_callers(self, count: int) -> list[Person]:
        return [self.draw_caller() for _ in range(count)]

    def __iter__(self) -> Iterator[Person]:
        while True:
            yield self.draw_caller()

    def _draw_number(self) -> str:
        # Indian mobile numbers have ten digits and begin with 6 to 9, as do some of fixed lines.
        while True:
            number = f"+91{self._rng.randint(6, 9)}{self._rng.randrange(10**9):09d}"
            if number not in self._used_numbers and is_mobile(number):
                self._used_numbers.add(number)
                return number
