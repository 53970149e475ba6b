"""How many callbacks a configuration sends when its campaigns open, so that `check` can warn the operator.

campaign "shop": callback: in the first minute after opening, at most 200 callbacks go out
campaign "desk": callback.agents[0]: takes 1 call at a time: about 20 callbacks an hour of 3 minutes each
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from missedd.core.agent_rotation import UNLIMITED_CALLS, concurrent_call_limit
from missedd.core.policy import CallbackPolicy, Campaign, Policy

TYPICAL_CALL: Final = timedelta(minutes=3)
"""The length of an ordinary call with its ringing; the estimate names it."""

HOUR: Final = timedelta(hours=1)


def callback_throughput(policy: Policy, calls_per_minute: int) -> Iterator[str]:
    """One line for each campaign that calls back, and one for each of its agents; each begins with its
    key."""
    for campaign in policy.campaigns:
        if campaign.callback is None:
            continue
        key = f"{campaign.label}: callback"
        most, why = _max_callbacks_per_minute(campaign, campaign.callback, policy, calls_per_minute)
        when = "in the first minute after opening" if campaign.hours else "in a minute with a backlog"
        yield f"{key}: {when}, at most {most} callback{' goes' if most == 1 else 's go'} out ({why})"
        for j, agent in enumerate(campaign.callback.agents):
            limit = policy.agent_limit(agent.number)
            yield f"{key}.agents[{j}]: takes {_describe_agent_limit(limit)}"


def _max_callbacks_per_minute(
    campaign: Campaign, callback: CallbackPolicy, policy: Policy, calls_per_minute: int
) -> tuple[int, str]:
    """The largest number, and the limit that causes it. Calls are assumed to last longer than a minute, as
    most do."""
    legs = 2 if callback.agents else 1
    bounds = [(calls_per_minute, "exotel.calls_per_minute")]
    if callback.agents:
        limits = [policy.agent_limit(agent.number) for agent in callback.agents]
        bounds.append((sum(limits), "the number of calls that its agents take at once"))
    elif callback.calls_at_once is not None:
        bounds.append((callback.calls_at_once, "calls_at_once"))
    if policy.channels is not None:
        bounds.append((policy.channels // legs, "exotel.channels"))
    most, why = min(bounds)
    if callback.flow is not None and callback.calls_at_once is None:
        why += "; set calls_at_once to the number of calls that the agents behind the flow can take"
    return most, why


def _describe_agent_limit(limit: int) -> str:
    if limit == UNLIMITED_CALLS:
        return "any number of calls at a time, because it is a landline or calls_at_once allows it"
    an_hour = limit * (HOUR // TYPICAL_CALL)
    minutes = TYPICAL_CALL // timedelta(minutes=1)
    return (
        f"{limit} call{'' if limit == 1 else 's'} at a time: about {an_hour} callbacks an hour "
        f"of {minutes} minutes each"
    )


def conflicting_agent_limits(policy: Policy) -> Iterator[str]:
    """One warning for each agent for whom campaigns set different numbers of calls at once."""
    keys_by_limit: dict[str, dict[int, str]] = {}
    for campaign in policy.campaigns:
        callback = campaign.callback
        for j, agent in enumerate(callback.agents if callback else ()):
            own = concurrent_call_limit(agent, callback.calls_at_once if callback else None)
            keys = keys_by_limit.setdefault(agent.number, {})
            keys.setdefault(own, f"{campaign.label}: callback.agents[{j}]")
    for keys in keys_by_limit.values():
        if len(keys) > 1:
            smallest = min(keys)
            others = ", ".join(key for limit, key in keys.items() if limit != smallest)
            yield f"{others}: takes {smallest} at once, as {keys[smallest]} says; the smallest limit applies"
