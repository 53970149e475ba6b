"""The agents of a campaign: who is on duty, who is next, and when somebody is again.

Agents take turns: the next one on duty after the last one that was rung, round the list in its
order. An agent without hours is always on duty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from missedd.core.hours import BusinessHours


@dataclass(frozen=True, slots=True)
class Agent:
    number: str
    """E.164."""
    hours: BusinessHours | None = None

    def is_on_duty(self, at: datetime) -> bool:
        return self.hours is None or self.hours.is_open(at)


def in_turn(agents: Sequence[Agent], last: str | None, at: datetime) -> Agent | None:
    """Whom to ring at `at` if `last` was rung before; None if nobody is on duty.

    One that is no longer on the list was before the first.
    """
    numbers = [each.number for each in agents]
    first = numbers.index(last) + 1 if last in numbers else 0
    return next((each for each in (*agents[first:], *agents[:first]) if each.is_on_duty(at)), None)


def next_on_duty(agents: Sequence[Agent], at: datetime) -> datetime | None:
    """The first instant at or after `at` at which somebody is on duty; None within 60 days."""
    openings: list[datetime] = []
    for each in agents:
        opening = at if each.hours is None else each.hours.next_opening(at)
        if opening == at:
            return at
        if opening is not None:
            openings.append(opening)
    return min(openings, default=None)
