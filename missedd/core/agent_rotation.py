"""The agents of a campaign: who is on duty, whose turn is next, and when somebody is on duty again.

Agents take turns. The next agent is the first one on duty after the agent who was called last, in the order
of the list and starting again at its beginning. An agent without hours is always on duty.
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
"""The value of `calls_at_once` for an agent without a limit."""


@dataclass(frozen=True, slots=True)
class Agent:
    number: str
    """E.164."""
    hours: BusinessHours | None = None
    calls_at_once: int | None = None
    """None if the configuration says nothing for this agent."""

    def is_on_duty(self, at: datetime) -> bool:
        return self.hours is None or self.hours.is_open(at)


def concurrent_call_limit(agent: Agent, campaign_limit: int | None) -> int:
    """How many of our calls an agent takes at one time. `campaign_limit` is the campaign's own
    `calls_at_once`.

    If neither the agent nor the campaign sets a limit, a mobile number takes one call. A landline takes any
    number, because it may belong to a switchboard.
    """
    limit = campaign_limit if agent.calls_at_once is None else agent.calls_at_once
    if limit is not None:
        return limit
    return UNLIMITED_CALLS if may_have_many_lines(agent.number) else 1


def rotation_order(agents: Sequence[Agent], last_rung: str | None, at: datetime) -> list[Agent]:
    """The agents on duty at `at`, in the order of their turns after `last_rung` (E.164).

    If `last_rung` is not in the list any more, the order starts with the first agent.
    """
    numbers = [each.number for each in agents]
    first = numbers.index(last_rung) + 1 if last_rung in numbers else 0
    return [agent for agent in (*agents[first:], *agents[:first]) if agent.is_on_duty(at)]


def next_duty_start(agents: Sequence[Agent], at: datetime) -> datetime | None:
    """The first time at or after `at` when an agent is on duty; None if there is none within 60 days."""
    openings: list[datetime] = []
    for agent in agents:
        opening = at if agent.hours is None else agent.hours.next_opening(at)
        if opening == at:
            return at
        if opening is not None:
            openings.append(opening)
    return min(openings, default=None)
