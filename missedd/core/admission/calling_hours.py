"""When a callback may ring: in business hours, outside quiet hours, while an agent is on duty; all at once.

Each rule may push the instant out of another one's window, so they are asked in turn until none
moves it. Windows that have not met after some weeks of trying never will.
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
"""More than any sensible week has windows: each round that moves the instant skips at least one."""


@fast_dataclass(frozen=True, slots=True)
class NextWindow:
    """The first instant at which it may ring, and the rule that it waits for."""

    at: datetime
    reason: Reason


@fast_dataclass(frozen=True, slots=True)
class NoWindow:
    reason: Reason


def next_calling_window(
    campaign: Campaign, callback: CallbackPolicy, policy: Policy, at: datetime, caller: str = ""
) -> NextWindow | NoWindow:
    """The first instant from `at` that every rule of the campaign's callbacks allows.

    An agent who is the caller is no agent for this call.
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
    found, reason = at, Reason.BUSINESS_CLOSED
    for _ in range(MAX_ROUNDS):
        before = found
        if hours is not None:
            opening = hours.next_opening(found)
            if opening is None:
                return NoWindow(Reason.BUSINESS_CLOSED)
            if opening > found:
                found, reason = opening, Reason.BUSINESS_CLOSED
        if callback.message_class is MessageClass.PROMOTIONAL:
            awake = policy.promotional_hours.next_opening(found, policy.timezone)
            if awake > found:
                found, reason = awake, Reason.QUIET_HOURS
        if agents:
            on_duty = next_duty_start(agents, found)
            if on_duty is None:
                return NoWindow(Reason.NO_AGENT_ON_DUTY)
            if on_duty > found:
                found, reason = on_duty, Reason.NO_AGENT_ON_DUTY
        if found == before:
            return NextWindow(found, reason)
    return NoWindow(reason)
