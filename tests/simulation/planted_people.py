"""Mistakes about people: rung twice at once, or again, or not heard; and what there are few of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from missedd.core.admission.callback_merge import PendingCallback
from missedd.core.admission.concurrent_calls import TrafficSnapshot, blocked_by_capacity
from missedd.core.admission.judgement import Candidate, Judgement
from missedd.core.agent_rotation import UNLIMITED_CALLS
from missedd.core.model import Outcome, PlannedAction
from missedd.core.policy import CallbackPolicy, Campaign, Policy
from missedd.core.reasons import Reason
from missedd.exotel.callback_outcome import CallbackOutcome, callback_outcome
from missedd.store.actions.claims import ClaimResult, claim
from missedd.store.actions.concurrent_calls import load_ongoing_traffic
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database
from tests.simulation.planted import PlantedMistake, patch_target


def forget_who_is_being_rung(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.blocked_by_ongoing_call", lambda number, traffic, at: None)


def look_at_nobodys_calls_but_the_campaigns_own(patch: pytest.MonkeyPatch) -> None:
    honest: Any = patch_target("missedd.core.admission.gates", "_apply_call_limits")

    def selfish(
        judgement: Judgement, campaign: Campaign, callback: Any, candidate: Candidate, *rest: Any
    ) -> Any:
        traffic = candidate.traffic
        if traffic is not None:
            own = [call for call in traffic.calls if call.campaign == campaign.name]
            candidate = replace(candidate, traffic=replace(traffic, calls=own))
        return honest(judgement, campaign, callback, candidate, *rest)

    patch.setattr("missedd.core.admission.gates._apply_call_limits", selfish)


def forget_the_calls_from_before_a_crash(patch: pytest.MonkeyPatch) -> None:
    """What goes on is counted in memory."""
    remembered: set[int] = set()
    rescue = patch_target("missedd.engine.leader.recovery", "recover_in_flight")

    async def from_memory(*args: Any) -> TrafficSnapshot:
        traffic = await load_ongoing_traffic(*args)
        return replace(traffic, calls=[call for call in traffic.calls if call.action_id in remembered])

    async def remembering(*args: Any, **named: Any) -> ClaimResult:
        claims = await claim(*args, **named)
        remembered.update(each.action.id for each in claims.claimed)
        return claims

    async def starting(db: Database, now: datetime) -> int:
        remembered.clear()
        found: int = await rescue(db, now)
        return found

    patch.setattr("missedd.store.actions.gate_facts.load_ongoing_traffic", from_memory)
    patch.setattr("missedd.engine.dispatch.attempts.claim", remembering)
    patch.setattr("missedd.engine.leader.recovery.recover_in_flight", starting)


def ring_an_agent_twice_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Policy, "agent_limit", lambda self, number: UNLIMITED_CALLS)


def call_beyond_the_channels(patch: pytest.MonkeyPatch) -> None:
    def boundless(
        campaign: Campaign,
        callback: CallbackPolicy,
        number: str,
        policy: Policy,
        traffic: TrafficSnapshot,
        at: datetime,
    ) -> Any:
        return blocked_by_capacity(campaign, callback, number, replace(policy, channels=None), traffic, at)

    patch.setattr("missedd.core.admission.gates.blocked_by_capacity", boundless)


def owe_every_call_a_callback(patch: pytest.MonkeyPatch) -> None:
    def each_its_own(
        planned: PlannedAction, action_id: int, called_at: datetime, waiting: PendingCallback | None
    ) -> tuple[PlannedAction, None]:
        return planned, None

    patch.setattr("missedd.store.actions.owed_callback.merge_callbacks", each_its_own)


def ignore_who_rings_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "missedd.core.admission.decide.returns_missed_callback", lambda campaign, history, called_at: False
    )


def ignore_who_rings_back_before_the_news(patch: pytest.MonkeyPatch) -> None:
    async def nobody(db: Database, action: ActionRow, ended_at: datetime) -> None:
        return None

    patch.setattr("missedd.store.actions.next_callback._latest_repeat_call", nobody)


def blame_the_agent_where_the_legs_are_silent(patch: pytest.MonkeyPatch) -> None:
    def guessing(fields: Mapping[str, str], first: str | None) -> CallbackOutcome:
        told = callback_outcome(fields, first)
        is_silent = not any("Leg" in name for name in fields)
        if (
            first == "agent"
            and is_silent
            and told.outcome in (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED)
        ):
            return CallbackOutcome(Outcome.FAILED, Reason.AGENT_NO_ANSWER)
        return told

    patch.setattr("missedd.engine.reconciliation.status_reports.callback_outcome", guessing)


def count_an_agents_miss_against_the_caller(patch: pytest.MonkeyPatch) -> None:
    for module in ("actions.rows", "admission.caller_history"):
        patch.setattr(f"missedd.store.{module}.is_agent_miss", lambda outcome, reason: False)


def take_the_time_of_the_news_for_that_of_the_call(patch: pytest.MonkeyPatch) -> None:
    """Whoever rang between the end of a callback and the news of it counts as spoken with, or unheard."""
    patch.setattr("missedd.store.actions.status_reports._clamp_to_attempt", lambda told_at, action, now: now)


MISTAKES_ABOUT_PEOPLE = (
    PlantedMistake(forget_who_is_being_rung, ("P11 one call",)),
    PlantedMistake(look_at_nobodys_calls_but_the_campaigns_own, ("P11 one call",)),
    PlantedMistake(forget_the_calls_from_before_a_crash, ("P11 one call", "P3 at once")),
    PlantedMistake(ring_an_agent_twice_at_once, ("P11 one call",)),
    PlantedMistake(call_beyond_the_channels, ("P3 at once",)),
    PlantedMistake(owe_every_call_a_callback, ("P11 owed",)),
    PlantedMistake(ignore_who_rings_back, ("P11 heard",)),
    PlantedMistake(ignore_who_rings_back_before_the_news, ("P11 heard",)),
    PlantedMistake(blame_the_agent_where_the_legs_are_silent, ("P3 cap",)),
    PlantedMistake(count_an_agents_miss_against_the_caller, ("P8",)),
    PlantedMistake(take_the_time_of_the_news_for_that_of_the_call, ("P11 heard",)),
)
