"""Agents who did not answer: how long each is left alone, and when a person should look into it.

Example with `agent_retry = "2m"`: the first miss gives 2 minutes of rest, the next misses in a row 4, 8, 16
and then 30 minutes. One answered call resets the count.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.reasons import Reason

MAX_REST: Final = timedelta(minutes=30)

ALERT_AFTER_MISSES: Final = 5
"""Misses in a row after which an operator should ask where the agent is."""


@fast_dataclass(frozen=True, slots=True)
class AgentMisses:
    """The misses of an agent who missed the latest call. No such value exists for other agents."""

    in_a_row: int
    rests_until: datetime
    reason: Reason
    """The reason of the latest miss."""


def record_miss(
    previous: AgentMisses | None, reason: Reason, agent_retry: timedelta, ended_at: datetime
) -> AgentMisses:
    """The misses after one more, in a call that ended at `ended_at`."""
    in_a_row = 1 + (previous.in_a_row if previous else 0)
    # After 14 doublings the rest is at its limit anyway, and many more would overflow a timedelta.
    rest = min(agent_retry * 2 ** min(in_a_row - 1, 14), max(MAX_REST, agent_retry))
    return AgentMisses(in_a_row, ended_at + rest, reason)
