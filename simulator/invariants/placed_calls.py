"""Every call of ours as the exchange knows it: whom it occupied, from when to when, and who talked.

A call occupies its numbers from when its order is taken until it has ended, both of them, however
long the first one rings by itself: whoever ordered it cannot know which of the two rings just now.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from missedd.config.loader import Settings
from simulator.exchange.model.records import Ring
from simulator.harness.scenario_run import Simulation
from simulator.invariants.contacts import caller_and_agent
from simulator.invariants.observer import StoreObserver

NO_END = datetime.max.replace(tzinfo=UTC)
CLOCK_SET_FORWARD = "the clock was set on by more than the other call could last"


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """One callback as it was made. Instants are true time; `until` is `NO_END` while it lasts."""

    sid: str
    action: str
    """The id that its order named."""
    campaign: str
    number: str
    """The caller's."""
    agent: str | None
    since: datetime
    until: datetime
    talked_from: datetime | None = None
    """When the caller took it, if somebody talked to them: the flow, or the agent who took it too. An
    answering machine is nobody."""

    @property
    def numbers(self) -> tuple[str, ...]:
        return (self.number,) if self.agent is None else (self.number, self.agent)

    def is_active_at(self, at: datetime) -> bool:
        return self.since <= at < self.until


async def load_placed_calls(
    simulation: Simulation, settings: Settings, observer: StoreObserver
) -> list[PlacedCall]:
    """In the order in which the exchange took them; which campaign each was for, its action says."""
    campaigns = {
        str(action_id): name for action_id, name in await observer.rows("SELECT id, campaign FROM actions")
    }
    rings: defaultdict[str, list[Ring]] = defaultdict(list)
    for ring in simulation.exchange.ground_truth.rings:
        rings[ring.sid].append(ring)
    calls = []
    for made in simulation.exchange.ground_truth.connects:
        action = made.fields.get("CustomField", "")
        campaign = settings.policy.campaign(campaigns.get(action, ""))
        number, agent = caller_and_agent(made, campaign)
        talked_from = _talked_from(rings[made.sid], number, needs_both=agent is not None)
        until = made.ended_at or NO_END
        name = campaign.name if campaign else ""
        calls.append(PlacedCall(made.sid, action, name, number, agent, made.created_at, until, talked_from))
    return calls


def _talked_from(rings: list[Ring], number: str, *, needs_both: bool) -> datetime | None:
    answered = [each for each in rings if each.answered_at is not None and not each.by_machine]
    if needs_both and {each.leg for each in answered} != {1, 2}:
        return None
    return next((each.answered_at for each in answered if each.number == number), None)


def seemed_finished(call: PlacedCall, at: datetime, simulation: Simulation, settings: Settings) -> bool:
    """Whether the daemon's clock says that the call cannot be up any more, as somebody has set it on."""
    campaign = settings.policy.campaign(call.campaign)
    if campaign is None or campaign.callback is None:
        return False
    longest = len(call.numbers) * campaign.callback.ring_timeout + campaign.callback.time_limit
    shown = simulation.clock.reading_at(at) - simulation.clock.reading_at(call.since)
    return at - call.since < longest <= shown
