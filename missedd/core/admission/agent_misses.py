"""Agents who did not take their call: for how long each is left alone, and when a person has to look.

The first miss leaves the agent alone for the campaign's `agent_retry`, each further one in a row for
twice as long, up to half an hour; one call that they take ends all of that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.reasons import Reason

MAX_REST: Final = timedelta(minutes=30)

ALERT_AFTER_MISSES: Final = 5
"""Misses in a row after which somebody should ask where the agent is."""


@fast_dataclass(frozen=True, slots=True)
class AgentMisses:
    """What is known of an agent who missed the latest call; of any other there is none of these."""

    in_a_row: int
    rests_until: datetime
    reason: Reason
    """Of the latest miss."""


def record_miss(
    previous: AgentMisses | None, reason: Reason, agent_retry: timedelta, ended_at: datetime
) -> AgentMisses:
    """After another miss, whose try ended at `ended_at`."""
    in_a_row = 1 + (previous.in_a_row if previous else 0)
    # More doublings than a week has minutes change nothing, and would be too many for a duration.
    rest = min(agent_retry * 2 ** min(in_a_row - 1, 14), max(MAX_REST, agent_retry))
    return AgentMisses(in_a_row, ended_at + rest, reason)
