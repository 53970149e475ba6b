"""Claiming: judge due actions by their gates once more, and record the attempt before its request goes out.

One transaction judges a batch of due actions by the facts of that moment and takes those that may go.
Claiming an action that is already taken, finished or moved to a later instant does nothing, so a timer may
fire twice. Agents and lines are few. A callback that is about to take one lets the caller go first who has
waited longest, whichever callback was due first in the queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from missedd.core.actions.details import sms_details
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.concurrent_calls import CAPACITY_REASONS, choose_agent
from missedd.core.admission.gates import judge
from missedd.core.admission.judgement import Close, Go, Hold, HoldForEvent, Judgement
from missedd.core.admission.pauses import check_at_expiry
from missedd.core.agent_rotation import Agent
from missedd.core.model import Kind, Outcome, State
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_transitions import (
    close_action,
    hold,
    hold_for_event,
    hold_in_quarantine,
    set_timer_when_due,
    start_attempt,
)
from missedd.store.actions.agent_rotation import prepare_attempt_details
from missedd.store.actions.concurrent_calls import (
    earliest_competitor,
    pass_capacity_on,
    schedule_early_lookups,
    wake_next_for_capacity,
)
from missedd.store.actions.gate_facts import GateFacts, has_spoken_since_call, load_gate_facts
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions
from missedd.store.actions.sms_text import RenderedSms, render_sms
from missedd.store.db.database import Database
from missedd.store.db.lock_keys import EVERYTHING


@dataclass(frozen=True, slots=True)
class ClaimedAction:
    """An action whose request must go out now; `attempt` counts from 1."""

    action: ActionRow
    attempt: int
    tries: int
    """The same, without the attempts whose request was not sent."""
    rendered_sms: RenderedSms | None = None
    """The text of an SMS; None for a callback or a webhook."""


@dataclass(frozen=True, slots=True)
class StoppedAction:
    """An action that was held or closed instead of claimed."""

    action: ActionRow
    reason: Reason
    outcome: Outcome | None
    """Set if the action was closed."""
    timer: Timer | None
    """Set if the action was held; an action in quarantine has no timer."""


@dataclass(frozen=True, slots=True)
class ClaimResult:
    claimed: tuple[ClaimedAction, ...]
    stopped: tuple[StoppedAction, ...]
    unjudged_ids: tuple[int, ...]
    """Ids that were not judged, as `limit` was reached."""
    early_timers: tuple[Timer, ...] = ()
    """Actions that are not due yet: they were moved, or the wall clock went back after their timer fired."""
    other_timers: tuple[Timer, ...] = ()
    """Other actions to check: calls whose end somebody waits for, and callbacks that may go instead."""


async def claim(
    db: Database,
    ids: Sequence[int],
    policy: Policy,
    now: datetime,
    limit: int,
    hold_reason: Reason | None = None,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> ClaimResult:
    """Judge the actions in the order of `ids`, and claim at most `limit` of those that may go.

    `hold_reason` says why the lane of the actions is held, if it is. Then none is claimed, and those that
    may go by their own gates wait for the end of that. `clock_ahead` is how far the clock of `now` may be
    ahead.
    """
    queue = deque(await fetch_actions(db, list(dict.fromkeys(ids))))
    facts = await load_gate_facts(db, queue, policy, now)
    return await _ClaimRun(db, policy, now, limit, hold_reason, clock_ahead, queue, facts).run()


@dataclass(slots=True)
class _ClaimRun:
    """The actions of one claim: those still in the queue, and what became of the others."""

    db: Database
    policy: Policy
    now: datetime
    limit: int
    hold_reason: Reason | None
    clock_ahead: timedelta
    queue: deque[ActionRow]
    facts: GateFacts
    claimed: list[ClaimedAction] = field(default_factory=list)
    stopped: list[StoppedAction] = field(default_factory=list)
    unjudged_ids: list[int] = field(default_factory=list)
    early: list[Timer] = field(default_factory=list)
    others: list[Timer] = field(default_factory=list)
    judged: set[int] = field(default_factory=set)
    waiting_for_channel: list[tuple[datetime, int]] = field(default_factory=list)
    """The waiting times (see `_waiting_since`) of callbacks that found too few free channels."""

    async def run(self) -> ClaimResult:
        while self.queue:
            action = self.queue.popleft()
            if action.id in self.judged or action.state not in (State.PLANNED, State.HELD):
                continue
            self.judged.add(action.id)
            if action.due_at > self.now:
                self.early.append(await set_timer_when_due(self.db, action))
            elif self.facts.is_quarantined(action):
                await hold_in_quarantine(self.db, action)
                self.stopped.append(StoppedAction(action, Reason.QUARANTINED, None, None))
            elif self.hold_reason is None and len(self.claimed) >= self.limit:
                self.unjudged_ids.append(action.id)
            else:
                await self._apply(action, await self._judge(action))
        return ClaimResult(
            tuple(self.claimed),
            tuple(self.stopped),
            tuple(self.unjudged_ids),
            tuple(self.early),
            tuple(self.others),
        )

    async def _judge(self, action: ActionRow) -> Judgement:
        """Judge the action by its gates, by those who wait for a channel, and by the hold of its lane."""
        spoken_with = await has_spoken_since_call(self.db, action)
        candidate = self.facts.candidate(action, already_spoken_with=spoken_with)
        if self.clock_ahead:
            candidate = replace(candidate, clock_ahead=self.clock_ahead)
        judgement = judge(candidate, self.policy, self.now)
        waiting_since = _waiting_since(action)
        if (
            isinstance(judgement, Go)
            and action.kind is Kind.CALLBACK
            and min(self.waiting_for_channel, default=waiting_since) < waiting_since
        ):
            # For example one channel is free and an earlier caller needs two: the next call to end gives
            # that caller the second one.
            reserved = replace(self.facts.traffic, are_channels_reserved=True)
            judgement = judge(replace(candidate, traffic=reserved), self.policy, self.now)
        if isinstance(judgement, Go) and self.hold_reason is not None:
            return HoldForEvent(check_at_expiry(candidate.latest_expiry), self.hold_reason)
        return judgement

    async def _apply(self, action: ActionRow, judgement: Judgement) -> None:
        match judgement:
            case Go():
                await self._take(action)
                return
            case Hold():
                timer = await hold(self.db, action, judgement)
                self.stopped.append(StoppedAction(action, judgement.reason, None, timer))
            case HoldForEvent(reason=reason, calls=calls):
                if reason in CAPACITY_REASONS or any(call.number != action.number for call in calls):
                    # What this callback begins to wait for may end just now, by a report to another node.
                    await self.db.lock(EVERYTHING)
                timer = await hold_for_event(self.db, action, judgement)
                self.stopped.append(StoppedAction(action, reason, None, timer))
                self.others += await schedule_early_lookups(self.db, calls, self.policy, self.now)
                if reason is Reason.CHANNELS_BUSY:
                    # Those after it find too few free channels as well.
                    self.waiting_for_channel.append(_waiting_since(action))
                    return
            case Close(outcome, reason):
                await self._close(action, outcome, reason)
        if action.reason in CAPACITY_REASONS:
            self.others += await pass_capacity_on(self.db, action, self.policy, self.now)

    async def _take(self, action: ActionRow) -> None:
        """Claim an action that may go, unless a caller who has waited longer must be judged first."""
        agent = self._agent_for(action)
        others_judged = self.judged - {action.id}
        earlier = await earliest_competitor(self.db, action, agent, self.policy, self.now, others_judged)
        if earlier:
            await self.db.lock(EVERYTHING)
            self.judged.remove(action.id)
            self.queue.extendleft([action, *await fetch_actions(self.db, [earlier])])
            await self._reload_facts()
            return
        rendered = await self._render(action)
        if rendered is not None and not rendered.matches_template:
            # The operators would drop this SMS: no request, no attempt, nothing of the rate limit.
            await self._close(action, Outcome.REFUSED, Reason.TEMPLATE_MISMATCH)
            return
        details = await prepare_attempt_details(self.db, action, self.policy, agent)
        if rendered is not None:
            details |= sms_details(rendered.text)
        number, tries = await start_attempt(self.db, action, self.policy, self.now, details)
        attempting = replace(action, state=State.ATTEMPTING, placed_at=self.now, details=details)
        self.claimed.append(ClaimedAction(attempting, number, tries, rendered))
        await self._wake_next_for_channel(action, channels_taken=1 if agent is None else 2)
        if action.kind is Kind.CALLBACK and len(self.claimed) < self.limit:
            await self._reload_facts()

    async def _wake_next_for_channel(self, action: ActionRow, channels_taken: int) -> None:
        """Wake the next callback that waits for a channel, where more are free than this one takes.

        For example channels were reserved for a caller who is not waiting any more.
        """
        if action.reason is not Reason.CHANNELS_BUSY or self.policy.channels is None:
            return
        if self.facts.traffic.free_channels(self.policy.channels, self.now) > channels_taken:
            self.others += await wake_next_for_capacity(
                self.db, action.campaign, None, self.policy, self.now, after=action
            )

    async def _close(self, action: ActionRow, outcome: Outcome, reason: Reason) -> None:
        step(action.state, ActionEvent.CLOSE)
        await close_action(self.db, action.id, outcome, reason, self.now)
        self.stopped.append(StoppedAction(action, reason, outcome, None))

    async def _reload_facts(self) -> None:
        self.facts = await load_gate_facts(self.db, self.queue, self.policy, self.now)

    def _agent_for(self, action: ActionRow) -> str | None:
        """The agent whom a callback connects the caller to; None for a flow and for other kinds of action."""
        campaign = self.policy.campaign(action.campaign)
        callback = campaign.callback if campaign else None
        if action.kind is not Kind.CALLBACK or campaign is None or callback is None or not callback.agents:
            return None
        agent = choose_agent(campaign, callback, action.number, self.policy, self.facts.traffic, self.now)
        if not isinstance(agent, Agent):
            raise AssertionError("the gate lets no callback through while no agent is free")
        return agent.number

    async def _render(self, action: ActionRow) -> RenderedSms | None:
        if action.kind is not Kind.SMS:
            return None
        return await render_sms(
            self.db, self.policy, action.campaign, action.plan, action.number, action.base_at, self.now
        )


def _waiting_since(action: ActionRow) -> tuple[datetime, int]:
    """A sort key: the smaller it is, the longer its caller has waited."""
    return action.chain_at or action.base_at, action.id
