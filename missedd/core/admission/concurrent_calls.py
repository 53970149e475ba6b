"""How many calls of ours may go on at once: one to a person, a few to an agent, so many to an account.

A call goes on from the claim of its action until its outcome is known, and at the longest until it
cannot be up any more. Who rang earlier goes earlier to the agent, or the line, that comes free.

    an agent's mobile          1 at once          agent-busy
    a landline as an agent     any number
    a flow                     calls_at_once      calls-at-once
    the account                channels           channels-busy     (two numbers connected take two)
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
"""Holds that end as a call ends, the earliest caller's first."""

MAX_CAPACITY_WAIT: Final = timedelta(hours=2)
"""For a place, from when the callback was due, where no closing hour ends the day."""


@fast_dataclass(frozen=True, slots=True)
class OngoingCall:
    """A callback that may be up, and is surely over at `until`."""

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
    """What goes on as callbacks are judged: as much of it as they need to know.

    `last_rung_agents` has whom each campaign rang last, `misses` the agents who did not take their last call.
    """

    calls: Sequence[OngoingCall] = ()
    last_rung_agents: Mapping[str, str] = field(default_factory=dict)
    misses: Mapping[str, AgentMisses] = field(default_factory=dict)
    are_channels_reserved: bool = False
    """Whether an earlier caller waits for channels of the account: those that come free are theirs."""

    def calls_at(self, at: datetime) -> list[OngoingCall]:
        return [call for call in self.calls if call.until > at]

    def free_channels(self, channels: int, at: datetime) -> int:
        """How many are free of so many, where all calls of the account are known."""
        return channels - sum(call.channels for call in self.calls_at(at))


@fast_dataclass(frozen=True, slots=True)
class Blocked:
    """Why a callback cannot go now, until when at the longest, and by which calls' ends it may earlier."""

    reason: Reason
    until: datetime
    calls: tuple[OngoingCall, ...] = ()


def blocked_by_ongoing_call(number: str, traffic: TrafficSnapshot, at: datetime) -> Blocked | None:
    """Whether another call of ours to the number may be up, by whichever campaign."""
    theirs = tuple(call for call in traffic.calls_at(at) if call.involves(number))
    if not theirs:
        return None
    return Blocked(Reason.CALLER_BEING_RUNG, max(call.until for call in theirs), theirs)


def blocked_by_capacity(
    campaign: Campaign,
    callback: CallbackPolicy,
    number: str,
    policy: Policy,
    traffic: TrafficSnapshot,
    at: datetime,
) -> Blocked | None:
    """What is taken that a callback of this campaign to the number needs: an agent, or a line."""
    going_on = traffic.calls_at(at)
    if callback.agents:
        agent = choose_agent(campaign, callback, number, policy, traffic, at)
        if isinstance(agent, Blocked):
            return agent
    elif callback.calls_at_once is not None:
        own = [call for call in going_on if call.campaign == campaign.name]
        if len(own) >= callback.calls_at_once:
            return _until_one_ends(Reason.CALLS_AT_ONCE, own)
    if policy.channels is not None:
        needs = 2 if callback.agents else 1
        if traffic.free_channels(policy.channels, at) < needs or (going_on and traffic.are_channels_reserved):
            return _until_one_ends(Reason.CHANNELS_BUSY, going_on)
    return None


def choose_agent(
    campaign: Campaign,
    callback: CallbackPolicy,
    number: str,
    policy: Policy,
    traffic: TrafficSnapshot,
    at: datetime,
) -> Agent | Blocked:
    """Whose turn it is of those on duty who are free and not the caller; who missed a call comes last."""
    going_on = traffic.calls_at(at)
    others = [agent for agent in callback.agents if agent.number != number]
    on_duty = rotation_order(others, traffic.last_rung_agents.get(campaign.name), at)
    waits: list[tuple[datetime, tuple[OngoingCall, ...], Reason]] = []
    free: list[Agent] = []
    for agent in on_duty:
        missed = traffic.misses.get(agent.number)
        theirs = tuple(call for call in going_on if call.involves(agent.number))
        # Whoever is called back themselves has one call at a time, like every caller.
        is_called = any(call.number == agent.number for call in theirs)
        if is_called or len(theirs) >= policy.agent_limit(agent.number):
            waits.append((min(call.until for call in theirs), theirs, Reason.AGENT_BUSY))
        elif missed is not None and missed.rests_until > at:
            waits.append((missed.rests_until, (), missed.reason))
        else:
            free.append(agent)
    if free:
        return min(free, key=lambda agent: agent.number in traffic.misses)
    # While one of them talks, the end of that call is what is waited for; else the end of a rest.
    reason = next(
        (why for _, calls, why in waits if calls), waits[0][2] if waits else Reason.NO_AGENT_ON_DUTY
    )
    # Another one may come on duty before that.
    comes_at = next_duty_start([agent for agent in others if not agent.is_on_duty(at)], at)
    until = min((instant for instant in (*(wait[0] for wait in waits), comes_at) if instant), default=at)
    return Blocked(reason, until, tuple(call for _, calls, _ in waits for call in calls))


def capacity_wait_end(campaign: Campaign, due_at: datetime) -> datetime:
    """Until when a callback waits for a place: to the day's closing, or two hours where there is none."""
    keeps_hours = campaign.after_hours.callback is not AfterHoursCallback.SAME
    closing = campaign.hours.closing_of_day(due_at) if campaign.hours and keeps_hours else None
    return due_at + MAX_CAPACITY_WAIT if closing is None else closing


def competing_campaigns(
    campaign_name: str, agent: str | None, policy: Policy
) -> Iterator[tuple[Reason, Sequence[str]]]:
    """Whose callbacks wait for the same places as those of a campaign with an agent, or with a flow.

    Gives what they wait for, and the names of the campaigns. Where there is no limit nobody waits.
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
