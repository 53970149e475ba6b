"""What is known of the callers of a batch before any of its calls is decided, and what the calls change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from missedd.base.clock import from_us, to_us
from missedd.core.admission.caller_history import (
    CallerHistory,
    UnansweredCallback,
    history_lookback,
)
from missedd.core.analytics.figures import is_agent_miss
from missedd.core.model import Admission, InboundCall, Kind, Outcome, State
from missedd.core.people.consent import OptOut
from missedd.core.policy import Policy
from missedd.store.actions.owed_callback import parse_pending_callback
from missedd.store.db.database import Database
from missedd.store.db.json_values import compact_json
from missedd.store.people.consents import latest_subscribed_at
from missedd.store.people.suppressions import lift_call_refusals, save_opt_outs, suppressions_in_force


@dataclass(slots=True)
class CallerHistoryBatch:
    """The histories of a batch's callers, and what its calls change in their suppressions."""

    kinds: ClassVar = frozenset({Kind.SUBSCRIBE, Kind.UNSUBSCRIBE})

    histories: defaultdict[str, CallerHistory]
    policy: Policy
    received_at: datetime
    _loaded_opt_outs: dict[str, OptOut]
    _lifted: list[str] = field(default_factory=list)
    """Numbers that have called since the register refused our calls to them."""

    @classmethod
    async def load(
        cls, db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
    ) -> Self:
        histories = await load_caller_histories(db, calls, policy, received_at)
        opt_outs = {caller: history.opt_out for caller, history in histories.items() if history.opt_out}
        return cls(histories, policy, received_at, opt_outs)

    def lift_call_refusal(self, admission: Admission, call: InboundCall, history: CallerHistory) -> bool:
        """Whether this call lifts what the register refused: a person who calls us may be called."""
        if call.caller is None or not history.lift_call_refusal(admission):
            return False
        self._lifted.append(call.caller)
        return True

    def record(self, admission: Admission, call: InboundCall, call_id: int) -> Admission:
        """Take in what a call about a list does to its caller's opt-out."""
        campaign = self.policy.campaign(admission.campaign or "") if admission.actions else None
        if campaign is not None:
            history = self.histories[call.caller or ""]
            history.record_list_events(admission, campaign, call_id, self.received_at)
        return admission

    async def save(self, db: Database) -> None:
        """Write the opt-outs that changed, and lift the refusals."""
        changed = {
            caller: history.opt_out
            for caller, history in self.histories.items()
            if history.opt_out != self._loaded_opt_outs.get(caller)
        }
        await save_opt_outs(db, changed)
        await lift_call_refusals(db, self._lifted)


_NOBODY_TALKED: Final = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED, Outcome.UNKNOWN)


async def load_caller_histories(
    db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
) -> defaultdict[str, CallerHistory]:
    """By number: what is known of these callers, as far back as the calls can depend on it."""
    histories: defaultdict[str, CallerHistory] = defaultdict(CallerHistory)
    numbers = sorted({call.caller for call in calls if call.caller})
    callers = compact_json(numbers)
    lookback = history_lookback(policy)
    earliest = min([received_at, *(call.called_at for call in calls if call.called_at)])
    latest = received_at + timedelta(minutes=2)
    accepted = await db.fetch_all(
        # The sum keeps the index by time out of the plan. The latest hour may hold a million calls, but a
        # planner's statistics end before it, and tell that there is none.
        """SELECT caller, campaign, called_at FROM calls
           WHERE caller IN (SELECT value FROM json_each(?)) AND called_at + 0 BETWEEN ? AND ?
             AND verdict = 'accepted' AND reached_at IS NULL AND campaign IS NOT NULL""",
        (callers, to_us(earliest - lookback), to_us(latest + lookback)),
    )
    for caller, campaign, called_at in accepted:
        histories[caller].accepted.append((campaign, from_us(called_at)))
    if any(campaign.callback for campaign in policy.campaigns):
        await _load_callbacks(db, histories, callers, earliest - lookback)
    suppressed = await suppressions_in_force(db, callers, received_at)
    for caller in suppressed.numbers:
        histories[caller].is_suppressed = suppressed.is_suppressed(caller)
        histories[caller].restrictions = suppressed.restrictions(caller)
        histories[caller].calls_refused_at = suppressed.calls_refused_at(caller)
        histories[caller].opt_out = suppressed.opt_out(caller)
    if any(campaign.opts_callers_out for campaign in policy.campaigns):
        for caller, joined_at in (await latest_subscribed_at(db, numbers)).items():
            histories[caller].joined_at = joined_at
    return histories


async def _load_callbacks(
    db: Database, histories: defaultdict[str, CallerHistory], callers: str, since: datetime
) -> None:
    """Add to the histories the callbacks that wait, and those placed from `since` on in their order."""
    rows = await db.fetch_all(
        """SELECT a.number, a.campaign, a.state, coalesce(a.settled_outcome, a.outcome), a.reason,
                  a.placed_at, coalesce(a.ended_at, a.closed_at),
                  a.id, c.called_at, a.due_at, coalesce(a.chain_at, c.called_at), a.retry_index
           FROM actions a JOIN calls c ON c.id = a.call_id
           WHERE a.number IN (SELECT value FROM json_each(?)) AND a.kind = 'callback'
             AND (a.placed_at >= ? OR (a.placed_at IS NULL AND a.state != 'done'))
           ORDER BY a.placed_at, a.id""",
        (callers, to_us(since)),
    )
    for caller, campaign, state, outcome, reason, placed_us, ended_us, *pending in rows:
        history = histories[caller]
        if placed_us is None:
            history.pending_callbacks[campaign] = parse_pending_callback(pending)
            continue
        if not is_agent_miss(outcome, reason):
            history.placed.append((campaign, from_us(placed_us)))
        history.unanswered_callbacks.pop(campaign, None)
        if state == State.DONE and outcome in _NOBODY_TALKED:
            history.unanswered_callbacks[campaign] = UnansweredCallback(from_us(placed_us), from_us(ended_us))
