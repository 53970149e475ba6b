"""Every call and SMS that the exchange really made, with the facts needed to judge each.

A contact counts from the instant its request reached the exchange: the daemon does not control how long
the exchange then takes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from missedd.config.loader import Settings
from missedd.core.admission.gates import sms_policy
from missedd.core.agent_rotation import Agent
from missedd.core.model import Plan
from missedd.core.policy import Campaign, MessageClass
from simulator.exchange.model.records import Connect, Text
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver

_UNANSWERED = ("busy", "no-answer", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Contact:
    """One call or SMS. `at` is true time, `daemon_time` what the daemon's clock showed then."""

    kind: str
    number: str
    sid: str
    at: datetime
    daemon_time: datetime
    campaign: Campaign | None
    is_promotional: bool
    action_id: str
    """The action id in the request's CustomField."""
    agent: Agent | None = None
    """The agent of a callback."""
    is_agent_miss: bool = False
    """The reported legs say that the agent did not answer, so the caller's phone did not ring."""


async def load_contacts(simulation: Simulation, settings: Settings, observer: StoreObserver) -> list[Contact]:
    owners = {
        str(action_id): name
        for action_id, name in await observer.rows("SELECT id, campaign FROM actions WHERE kind = 'callback'")
    }
    missed = await _missed_by_agents(observer)
    return [
        *_api_contacts(simulation, settings, owners, missed),
        *await _applet_contacts(simulation, settings, observer),
    ]


async def _missed_by_agents(observer: StoreObserver) -> set[str]:
    """The Sids of calls whose reported legs say: the first leg was not answered, no second leg rang."""
    rows = await observer.rows("SELECT provider_sid, fields FROM reports WHERE effect = 'applied'")
    missed = set()
    for sid, text in rows:
        fields: dict[str, str] = json.loads(text)
        first, second = (
            fields.get(f"Legs[{leg}][Status]") or fields.get(f"Details[Leg{leg + 1}Status]") or ""
            for leg in (0, 1)
        )
        if first in _UNANSWERED and second in ("", "null"):
            missed.add(sid)
    return missed


def _api_contacts(
    simulation: Simulation, settings: Settings, owners: Mapping[str, str], missed: Collection[str]
) -> Iterator[Contact]:
    ground_truth = simulation.exchange.ground_truth
    for request in ground_truth.api_requests:
        if request.sid is None:
            continue
        made = ground_truth.call(request.sid) or ground_truth.text(request.sid)
        shown_at = simulation.clock.reading_at(request.at)
        if isinstance(made, Connect):
            action = made.fields.get("CustomField", "")
            # The action decides the campaign: the ExoPhone of the call may belong to another campaign.
            campaign = settings.policy.campaign(owners.get(action, ""))
            callback = campaign.callback if campaign else None
            agents = {agent.number: agent for agent in callback.agents} if callback else {}
            number, rung = caller_and_agent(made, campaign)
            agent = None if rung is None else agents.get(rung)
            is_promotional = callback is not None and callback.message_class is MessageClass.PROMOTIONAL
            is_miss = made.sid in missed and callback is not None and callback.first == "agent"
            yield Contact(
                *(
                    "callback",
                    number,
                    made.sid,
                    request.at,
                    shown_at,
                    campaign,
                    is_promotional,
                    action,
                    agent,
                ),
                is_agent_miss=is_miss,
            )
        elif isinstance(made, Text):
            is_promotional = made.sms_type == "promotional"
            action = made.fields.get("CustomField", "")
            yield Contact("sms", made.number, made.sid, request.at, shown_at, None, is_promotional, action)


def caller_and_agent(made: Connect, campaign: Campaign | None) -> tuple[str, str | None]:
    """(caller's number, agent's number). The second is None in a call to a flow."""
    callback = campaign.callback if campaign else None
    if made.to_number is None or callback is None or callback.first != "agent":
        return made.from_number, made.to_number
    return made.to_number, made.from_number


async def _applet_contacts(
    simulation: Simulation, settings: Settings, observer: StoreObserver
) -> list[Contact]:
    """The SMS whose text the applet fetched: each counts as a contact from the instant of that request."""
    rows = await observer.rows(
        """SELECT c.call_sid, a.id, a.campaign, a.plan FROM actions a JOIN calls c ON c.id = a.call_id
           WHERE a.outcome = 'handed-over'"""
    )
    owed = {sid: (str(action_id), name, Plan(plan)) for sid, action_id, name, plan in rows}
    contacts = []
    for text in (each for each in simulation.exchange.ground_truth.texts if each.via == "applet"):
        if (sid := text.fields["CallSid"]) not in owed:
            continue  # no action has this SMS: `judge_sms` reports that
        action, name, plan = owed[sid]
        campaign = settings.policy.campaign(name)
        sms = sms_policy(campaign, plan) if campaign else None
        at = max(
            delivery.at
            for delivery in simulation.exchange.ground_truth.deliveries_of(sid)
            if delivery.kind == "sms-text" and delivery.method == "GET" and delivery.at <= text.sent_at
        )
        is_promotional = sms is not None and sms.message_class is MessageClass.PROMOTIONAL
        shown_at = simulation.clock.reading_at(at)
        contacts.append(Contact("sms", text.number, text.sid, at, shown_at, None, is_promotional, action))
    return contacts
