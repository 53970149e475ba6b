"""The agents of a campaign: who is on duty, who is next, and when somebody is again.

Agents take turns: the next one on duty after the last one that was rung, round the list in its
order. An agent without hours is always on duty.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missedd.core.business_hours import BusinessHours
from missedd.core.numbering_plan import may_have_many_lines

UNLIMITED_CALLS: Final = sys.maxsize
"""Of calls at once: as many as there are."""


@dataclass(frozen=True, slots=True)
class Agent:
    number: str
    """E.164."""
    hours: BusinessHours | None = None
    calls_at_once: int | None = None
    """None where it is not said for this agent."""

    def is_on_duty(self, at: datetime) -> bool:
        return self.hours is None or self.hours.is_open(at)


def concurrent_call_limit(agent: Agent, campaign_limit: int | None) -> int:
    """How many calls of ours an agent takes at one time, where the campaign's own word is `campaign_limit`.

    Where neither says it, a mobile takes one and a landline, which may be a switchboard's, any number.
    """
    said = campaign_limit if agent.calls_at_once is None else agent.calls_at_once
    if said is not None:
        return said
    return UNLIMITED_CALLS if may_have_many_lines(agent.number) else 1


def rotation_order(agents: Sequence[Agent], last_rung: str | None, at: datetime) -> list[Agent]:
    """Who is on duty at `at`, in the order of their turns if `last_rung` was rung before.

    One that is no longer on the list was before the first.
    """
    numbers = [each.number for each in agents]
    first = numbers.index(last_rung) + 1 if last_rung in numbers else 0
    return [agent for agent in (*agents[first:], *agents[:first]) if agent.is_on_duty(at)]


def next_duty_start(agents: Sequence[Agent], at: datetime) -> datetime | None:
    """The first instant at or after `at` at which somebody is on duty; None within 60 days."""
    openings: list[datetime] = []
    for each in agents:
        opening = at if each.hours is None else each.hours.next_opening(at)
        if opening == at:
            return at
        if opening is not None:
            openings.append(opening)
    return min(openings, default=None)
