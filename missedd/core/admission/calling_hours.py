"""When a callback may ring: in business hours, outside quiet hours, and while an agent is on duty.

Each rule may move the time out of another rule's window. So the rules are applied in turn until none of them
moves it. Windows that have not met after `MAX_ROUNDS` rounds never meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.agent_rotation import Agent, next_duty_start
from missedd.core.policy import AfterHoursCallback, CallbackPolicy, Campaign, MessageClass, Policy
from missedd.core.reasons import Reason

MAX_ROUNDS: Final = 40
"""More than a sensible week has windows: each round that moves the time skips at least one window."""


@fast_dataclass(frozen=True, slots=True)
class NextWindow:
    """The first time (UTC) at which a callback may ring, and the rule that it waits for."""

    at: datetime
    reason: Reason


@fast_dataclass(frozen=True, slots=True)
class NoWindow:
    """A callback may never ring, because of this rule."""

    reason: Reason


def next_calling_window(
    campaign: Campaign, callback: CallbackPolicy, policy: Policy, at: datetime, caller: str = ""
) -> NextWindow | NoWindow:
    """The first time from `at` on that every rule for the campaign's callbacks allows.

    `caller` is E.164; an agent whose number it is does not count as an agent for this call.
    """
    agents: Sequence[Agent] = callback.agents
    if policy.is_agent(caller):
        agents = [agent for agent in agents if agent.number != caller]
    hours = None if campaign.after_hours.callback is AfterHoursCallback.SAME else campaign.hours
    if (
        hours is not None
        and campaign.after_hours.callback is AfterHoursCallback.SKIP
        and not hours.is_open(at)
    ):
        return NoWindow(Reason.SKIPPED_AFTER_HOURS)
    start, reason = at, Reason.BUSINESS_CLOSED
    for _ in range(MAX_ROUNDS):
        before = start
        if hours is not None:
            opening = hours.next_opening(start)
            if opening is None:
                return NoWindow(Reason.BUSINESS_CLOSED)
            if opening > start:
                start, reason = opening, Reason.BUSINESS_CLOSED
        if callback.message_class is MessageClass.PROMOTIONAL:
            quiet_end = policy.promotional_hours.next_opening(start, policy.timezone)
            if quiet_end > start:
                start, reason = quiet_end, Reason.QUIET_HOURS
        if agents:
            on_duty = next_duty_start(agents, start)
            if on_duty is None:
                return NoWindow(Reason.NO_AGENT_ON_DUTY)
            if on_duty > start:
                start, reason = on_duty, Reason.NO_AGENT_ON_DUTY
        if start == before:
            return NextWindow(start, reason)
    return NoWindow(reason)
