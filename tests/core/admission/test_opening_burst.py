"""The forecast for an opening: how many callbacks go out, and what that means for an agent."""

from __future__ import annotations

import pytest

from missedd.core.admission.opening_burst import callback_throughput, conflicting_agent_limits
from missedd.core.agent_rotation import UNLIMITED_CALLS, Agent
from missedd.core.policy import Policy
from tests.core.campaigns import callback, campaign, office, policy

MOBILE, OTHER, LANDLINE = Agent("+919800000001"), Agent("+919800000002"), Agent("+912226543210")


def with_agents(*agents: Agent, **changes: object) -> Policy:
    return policy(campaign(callback=callback(flow=None, agents=agents, **changes), hours=office()))


@pytest.mark.parametrize(
    ("of", "line"),
    [
        (
            policy(campaign(callback=callback(), hours=office())),
            "in the first minute after opening, at most 200 callbacks go out (exotel.calls_per_minute; "
            "set calls_at_once to the number of calls that the agents behind the flow can take)",
        ),
        (
            policy(campaign(callback=callback(calls_at_once=4))),
            "in a minute with a backlog, at most 4 callbacks go out (calls_at_once)",
        ),
        (
            with_agents(MOBILE, OTHER),
            "in the first minute after opening, at most 2 callbacks go out "
            "(the number of calls that its agents take at once)",
        ),
        (
            with_agents(LANDLINE),
            "in the first minute after opening, at most 200 callbacks go out (exotel.calls_per_minute)",
        ),
    ],
)
def test_the_first_minute(of: Policy, line: str) -> None:
    assert next(callback_throughput(of, 200)) == f'campaign "admissions": callback: {line}'


def test_channels_are_for_both_telephones() -> None:
    of = Policy(with_agents(LANDLINE).campaigns, policy().promotional_hours, "Asia/Kolkata", channels=5)
    assert "at most 2 callbacks go out (exotel.channels)" in next(callback_throughput(of, 200))


def test_each_agent_by_the_hour() -> None:
    _, first, second, third = callback_throughput(
        with_agents(MOBILE, Agent(OTHER.number, None, 3), LANDLINE), 200
    )
    assert first == (
        'campaign "admissions": callback.agents[0]: takes 1 call at a time: '
        "about 20 callbacks an hour of 3 minutes each"
    )
    assert "agents[1]: takes 3 calls at a time: about 60 callbacks an hour" in second
    assert "agents[2]: takes any number of calls at a time" in third


def test_where_campaigns_differ_the_smallest_counts_and_it_is_said() -> None:
    ones, twos = (
        callback(flow=None, agents=(MOBILE, LANDLINE)),
        callback(flow=None, agents=(MOBILE,), calls_at_once=2),
    )
    of = policy(campaign(callback=ones), campaign(name="b", exophones=("+918047120009",), callback=twos))
    assert (of.agent_limit(MOBILE.number), of.agent_limit(LANDLINE.number)) == (1, UNLIMITED_CALLS)
    assert list(conflicting_agent_limits(of)) == [
        'campaign "b": callback.agents[0]: takes 1 at once, as campaign "admissions": callback.agents[0] '
        "says; the smallest limit applies"
    ]
    assert not list(conflicting_agent_limits(with_agents(MOBILE, LANDLINE)))
