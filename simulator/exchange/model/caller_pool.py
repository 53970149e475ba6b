"""A crowd of callers: names, Indian mobile numbers and tempers, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from faker import Faker

from simulator.exchange.model.numbering_plan import is_mobile
from simulator.exchange.model.people import Answers, Person, Reception

USUAL_ANSWERS: Mapping[Answers, int] = {
    Answers.ANSWER: 62,
    Answers.NO_ANSWER: 20,
    Answers.BUSY: 9,
    Answers.HANGUP: 4,
    Answers.UNREACHABLE: 5,
}
"""People in a hundred. A guess at a good day for somebody who asked to be rung; vary it freely."""

USUAL_RECEPTIONS: Mapping[Reception, int] = {
    Reception.DELIVERED: 90,
    Reception.TO_OPERATOR: 4,
    Reception.UNAVAILABLE: 4,
    Reception.INVALID: 1,
    Reception.DND: 1,
}


class Crowd:
    """An endless supply of different people. No number comes twice from one crowd."""

    def __init__(
        self,
        seed: int,
        answers: Mapping[Answers, int] = USUAL_ANSWERS,
        receptions: Mapping[Reception, int] = USUAL_RECEPTIONS,
    ) -> None:
        self._rng = Random(seed)  # noqa: S311 (repeatable on purpose)
        self._names = Faker("en_IN")
        self._names.seed_instance(seed)
        self._answers = answers
        self._receptions = receptions
        self._taken: set[str] = set()

    def person(self) -> Person:
        """The next one, whose temper is drawn by the weights."""
        rng = self._rng
        return Person(
            number=self._number(),
            name=self._names.name(),
            answers=rng.choices(list(self._answers), list(self._answers.values()))[0],
            sms=rng.choices(list(self._receptions), list(self._receptions.values()))[0],
            ring_s=round(rng.uniform(2, 18), 1),
            talks_s=round(min(rng.expovariate(1 / 60), 900) + 3, 1),
        )

    def people(self, count: int) -> list[Person]:
        return [self.person() for _ in range(count)]

    def __iter__(self) -> Iterator[Person]:
        while True:
            yield self.person()

    def _number(self) -> str:
        # Indian mobile numbers have ten digits and begin with 6 to 9, as do some of fixed lines.
        while True:
            number = f"+91{self._rng.randint(6, 9)}{self._rng.randrange(10**9):09d}"
            if number not in self._taken and is_mobile(number):
                self._taken.add(number)
                return number
