"""Mistakes about people: rung twice at once, or again, or not heard; and what there are few of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from missedd.core.admission.callback_merge import OwedCallback
from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.concurrent_calls import Traffic, no_place
from missedd.core.admission.gates import Candidate, Judgement
from missedd.core.agent_rotation import NO_LIMIT
from missedd.core.model import Outcome, PlannedAction
from missedd.core.policy import CallbackPolicy, Campaign, Policy
from missedd.core.reasons import Reason
from missedd.exotel.callback_outcome import Ending, ending
from missedd.store.actions.claims import Claims, claim
from missedd.store.actions.concurrent_calls import traffic_for
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database
from tests.simulation.planted import Mistake, patch_target


def forget_who_is_being_rung(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.being_rung", lambda number, traffic, at: None)


def look_at_nobodys_calls_but_the_campaigns_own(patch: pytest.MonkeyPatch) -> None:
    honest: Any = patch_target("missedd.core.admission.gates", "_unless_blocked")

    def selfish(
        judgement: Judgement, campaign: Campaign, callback: Any, candidate: Candidate, *rest: Any
    ) -> Any:
        traffic = candidate.traffic
        if traffic is not None:
            own = [call for call in traffic.calls if call.campaign == campaign.name]
            candidate = replace(candidate, traffic=replace(traffic, calls=own))
        return honest(judgement, campaign, callback, candidate, *rest)

    patch.setattr("missedd.core.admission.gates._unless_blocked", selfish)


def forget_the_calls_from_before_a_crash(patch: pytest.MonkeyPatch) -> None:
    """What goes on is counted in memory."""
    remembered: set[int] = set()
    rescue = patch_target("missedd.engine.recovery", "rescue")

    async def from_memory(*args: Any) -> Traffic:
        traffic = await traffic_for(*args)
        return replace(traffic, calls=[call for call in traffic.calls if call.action_id in remembered])

    async def remembering(*args: Any, **named: Any) -> Claims:
        claims = await claim(*args, **named)
        remembered.update(each.action.id for each in claims.claimed)
        return claims

    async def starting(db: Database, now: datetime) -> int:
        remembered.clear()
        found: int = await rescue(db, now)
        return found

    patch.setattr("missedd.store.actions.gate_facts.traffic_for", from_memory)
    patch.setattr("missedd.engine.dispatch.attempts.claim", remembering)
    patch.setattr("missedd.engine.recovery.rescue", starting)


def ring_an_agent_twice_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Policy, "agent_limit", lambda self, number: NO_LIMIT)


def call_beyond_the_channels(patch: pytest.MonkeyPatch) -> None:
    def boundless(
        campaign: Campaign,
        callback: CallbackPolicy,
        number: str,
        policy: Policy,
        traffic: Traffic,
        at: datetime,
    ) -> Any:
        return no_place(campaign, callback, number, replace(policy, channels=None), traffic, at)

    patch.setattr("missedd.core.admission.gates.no_place", boundless)


def owe_every_call_a_callback(patch: pytest.MonkeyPatch) -> None:
    def each_its_own(
        planned: PlannedAction, action_id: int, called_at: datetime, waiting: OwedCallback | None
    ) -> tuple[PlannedAction, None]:
        return planned, None

    patch.setattr("missedd.store.actions.owed_callback.one_owed", each_its_own)


def ignore_who_rings_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallerHistory, "rings_back", lambda self, campaign, called_at: False)


def ignore_who_rings_back_before_the_news(patch: pytest.MonkeyPatch) -> None:
    async def nobody(db: Database, action: ActionRow, ended_at: datetime) -> None:
        return None

    patch.setattr("missedd.store.actions.next_callback._rang_back", nobody)


def blame_the_agent_where_the_legs_are_silent(patch: pytest.MonkeyPatch) -> None:
    def guessing(fields: Mapping[str, str], first: str | None) -> Ending:
        told = ending(fields, first)
        is_silent = not any("Leg" in name for name in fields)
        if (
            first == "agent"
            and is_silent
            and told.outcome in (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED)
        ):
            return Ending(Outcome.FAILED, Reason.AGENT_NO_ANSWER)
        return told

    patch.setattr("missedd.engine.reconciliation.status_reports.ending", guessing)


def count_an_agents_miss_against_the_caller(patch: pytest.MonkeyPatch) -> None:
    for module in ("actions.rows", "admission.caller_history"):
        patch.setattr(f"missedd.store.{module}.is_agent_miss", lambda outcome, reason: False)


def take_the_time_of_the_news_for_that_of_the_call(patch: pytest.MonkeyPatch) -> None:
    """Whoever rang between the end of a callback and the news of it counts as spoken with, or unheard."""
    patch.setattr("missedd.store.actions.status_reports._within_reason", lambda told_at, action, now: now)


ABOUT_PEOPLE = (
    Mistake(forget_who_is_being_rung, ("P11 one call",)),
    Mistake(look_at_nobodys_calls_but_the_campaigns_own, ("P11 one call",)),
    Mistake(forget_the_calls_from_before_a_crash, ("P11 one call", "P3 at once")),
    Mistake(ring_an_agent_twice_at_once, ("P11 one call",)),
    Mistake(call_beyond_the_channels, ("P3 at once",)),
    Mistake(owe_every_call_a_callback, ("P11 owed",)),
    Mistake(ignore_who_rings_back, ("P11 heard",)),
    Mistake(ignore_who_rings_back_before_the_news, ("P11 heard",)),
    Mistake(blame_the_agent_where_the_legs_are_silent, ("P3 cap",)),
    Mistake(count_an_agents_miss_against_the_caller, ("P8",)),
    Mistake(take_the_time_of_the_news_for_that_of_the_call, ("P11 heard",)),
)
