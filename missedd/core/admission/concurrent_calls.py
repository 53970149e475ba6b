"""How many of our calls may be in progress at once: one to a caller, some to an agent, some in the account.

A call is in progress from the claim of its action until its outcome is known, and at the longest until it
cannot be up any more. When an agent or a channel becomes free, the caller who called first is served first.

    limit                      default            reason of the hold
    an agent with a mobile     1 call             agent-busy
    an agent with a landline   no limit
    a flow                     calls_at_once      calls-at-once
    the account                channels           channels-busy     (an agent and a caller take two)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.admission.agent_misses import AgentMisses
from missedd.core.agent_rotation import UNLIMITED_CALLS, Agent, next_duty_start, rotation_order
from missedd.core.policy import AfterHoursCallback, CallbackPolicy, Campaign, Policy
from missedd.core.reasons import Reason

CAPACITY_REASONS: Final = (Reason.AGENT_BUSY, Reason.CALLS_AT_ONCE, Reason.CHANNELS_BUSY)
"""Holds that end when a call ends; the caller who called first goes first."""

MAX_CAPACITY_WAIT: Final = timedelta(hours=2)
"""The longest wait for a free place, counted from the due time, if no closing hour ends the day."""


@fast_dataclass(frozen=True, slots=True)
class OngoingCall:
    """A callback that may be up; at `until` (UTC) it is certainly over. Numbers are E.164."""

    action_id: int
    campaign: str
    number: str
    agent: str | None
    until: datetime

    @property
    def channels(self) -> int:
        return 1 if self.agent is None else 2

    def involves(self, number: str) -> bool:
        return number in (self.number, self.agent)


@dataclass(frozen=True, slots=True)
class TrafficSnapshot:
    """The calls in progress when callbacks are judged, as far as the judgement needs them.

    `last_rung_agents` has the agent whom each campaign called last. `misses` has the agents who missed their
    latest call, by number.
    """

    calls: Sequence[OngoingCall] = ()
    last_rung_agents: Mapping[str, str] = field(default_factory=dict)
    misses: Mapping[str, AgentMisses] = field(default_factory=dict)
    are_channels_reserved: bool = False
    """Whether an earlier caller waits for channels of the account: the channels that become free are for that
    caller."""

    def calls_at(self, at: datetime) -> list[OngoingCall]:
        return [call for call in self.calls if call.until > at]

    def free_channels(self, channels: int, at: datetime) -> int:
        """How many of the account's `channels` are free, if all calls of the account are known."""
        return channels - sum(call.channels for call in self.calls_at(at))


@fast_dataclass(frozen=True, slots=True)
class Blocked:
    """Why a callback cannot go now, until when at the longest, and the calls whose end may free it
    earlier."""

    reason: Reason
    until: datetime
    calls: tuple[OngoingCall, ...] = ()


def blocked_by_ongoing_call(number: str, traffic: TrafficSnapshot, at: datetime) -> Blocked | None:
    """Whether another of our calls to the number may be up, from any campaign."""
    calls = tuple(call for call in traffic.calls_at(at) if call.involves(number))
    if not calls:
        return None
    return Blocked(Reason.CALLER_BEING_RUNG, max(call.until for call in calls), calls)


def blocked_by_capacity(
    campaign: Campaign,
    callback: CallbackPolicy,
    number: str,
    policy: Policy,
    traffic: TrafficSnapshot,
    at: datetime,
) -> Blocked | None:
    """What a callback of this campaign to the number needs and cannot have now: an agent, or a channel."""
    ongoing = traffic.calls_at(at)
    if callback.agents:
        agent = choose_agent(campaign, callback, number, policy, traffic, at)
        if isinstance(agent, Blocked):
            return agent
    elif callback.calls_at_once is not None:
        own = [call for call in ongoing if call.campaign == campaign.name]
        if len(own) >= callback.calls_at_once:
            return _until_one_ends(Reason.CALLS_AT_ONCE, own)
    if policy.channels is not None:
        needs = 2 if callback.agents else 1
        if traffic.free_channels(policy.channels, at) < needs or (ongoing and traffic.are_channels_reserved):
            return _until_one_ends(Reason.CHANNELS_BUSY, ongoing)
    return None


def choose_agent(
    campaign: Campaign,
    callback: CallbackPolicy,
    number: str,
    policy: Policy,
    traffic: TrafficSnapshot,
    at: datetime,
) -> Agent | Blocked:
    """The next agent on duty who is free and is not the caller, or why there is none.

    Agents take turns, but an agent who missed the latest call comes last.
    """
    ongoing = traffic.calls_at(at)
    others = [agent for agent in callback.agents if agent.number != number]
    on_duty = rotation_order(others, traffic.last_rung_agents.get(campaign.name), at)
    waits: list[tuple[datetime, tuple[OngoingCall, ...], Reason]] = []
    free: list[Agent] = []
    for agent in on_duty:
        missed = traffic.misses.get(agent.number)
        calls = tuple(call for call in ongoing if call.involves(agent.number))
        # An agent who is called back as a caller has one call at a time, like every caller.
        is_called = any(call.number == agent.number for call in calls)
        if is_called or len(calls) >= policy.agent_limit(agent.number):
            waits.append((min(call.until for call in calls), calls, Reason.AGENT_BUSY))
        elif missed is not None and missed.rests_until > at:
            waits.append((missed.rests_until, (), missed.reason))
        else:
            free.append(agent)
    if free:
        return min(free, key=lambda agent: agent.number in traffic.misses)
    # If an agent is talking, the callback waits for the end of that call; else for the end of a rest.
    reason = next(
        (why for _, calls, why in waits if calls), waits[0][2] if waits else Reason.NO_AGENT_ON_DUTY
    )
    # Another agent may come on duty before that.
    duty_start = next_duty_start([agent for agent in others if not agent.is_on_duty(at)], at)
    until = min((instant for instant in (*(wait[0] for wait in waits), duty_start) if instant), default=at)
    return Blocked(reason, until, tuple(call for _, calls, _ in waits for call in calls))


def capacity_wait_end(campaign: Campaign, due_at: datetime) -> datetime:
    """How long a callback waits for a place: until the day's closing time, or two hours without one."""
    keeps_hours = campaign.after_hours.callback is not AfterHoursCallback.SAME
    closing = campaign.hours.closing_of_day(due_at) if campaign.hours and keeps_hours else None
    return due_at + MAX_CAPACITY_WAIT if closing is None else closing


def competing_campaigns(
    campaign_name: str, agent: str | None, policy: Policy
) -> Iterator[tuple[Reason, Sequence[str]]]:
    """The campaigns whose callbacks wait for the same places as a callback of this campaign with `agent` or a
    flow.

    Yields the reason of the hold and the names of the campaigns. Without a limit nothing waits, so nothing is
    yielded.
    """
    campaign = policy.campaign(campaign_name)
    callback = campaign.callback if campaign else None
    if agent is not None:
        sharing = policy.campaigns_with_agent(agent)
        if sharing and policy.agent_limit(agent) != UNLIMITED_CALLS:
            yield Reason.AGENT_BUSY, sharing
    elif callback is not None and callback.calls_at_once not in (None, UNLIMITED_CALLS):
        yield Reason.CALLS_AT_ONCE, (campaign_name,)
    if policy.channels is not None:
        yield Reason.CHANNELS_BUSY, tuple(each.name for each in policy.campaigns if each.callback)


def _until_one_ends(reason: Reason, calls: Sequence[OngoingCall]) -> Blocked:
    return Blocked(reason, min(call.until for call in calls), tuple(calls))
