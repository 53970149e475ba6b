"""Every callback as the exchange knows it: which numbers it occupied, for how long, and who talked.

A call occupies both its numbers from the accepted request until its end, even while only the first phone
rings: the daemon cannot know which of the two rings at the moment.
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
    """One callback as it was made. Instants are true time; `until` is `NO_END` while the call lasts."""

    sid: str
    action: str
    """The action id in the request's CustomField."""
    campaign: str
    number: str
    """The caller's."""
    agent: str | None
    since: datetime
    until: datetime
    talked_from: datetime | None = None
    """When the caller answered, if the flow or an agent then talked to them. None for an answering
    machine."""

    @property
    def numbers(self) -> tuple[str, ...]:
        return (self.number,) if self.agent is None else (self.number, self.agent)

    def is_active_at(self, at: datetime) -> bool:
        return self.since <= at < self.until


async def load_placed_calls(
    simulation: Simulation, settings: Settings, observer: StoreObserver
) -> list[PlacedCall]:
    """Return the calls in the order in which the exchange accepted them, with the action's campaign."""
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
    answered = [ring for ring in rings if ring.answered_at is not None and not ring.by_machine]
    if needs_both and {ring.leg for ring in answered} != {1, 2}:
        return None
    return next((ring.answered_at for ring in answered if ring.number == number), None)


def seemed_finished(call: PlacedCall, at: datetime, simulation: Simulation, settings: Settings) -> bool:
    """Whether, after a step forward of the daemon's clock, the call seems too old to be still active."""
    campaign = settings.policy.campaign(call.campaign)
    if campaign is None or campaign.callback is None:
        return False
    longest = len(call.numbers) * campaign.callback.ring_timeout + campaign.callback.time_limit
    shown = simulation.clock.reading_at(at) - simulation.clock.reading_at(call.since)
    return at - call.since < longest <= shown
