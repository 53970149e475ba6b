"""The facts that the gates of actions depend on, read once for a batch of actions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from missedd.core.admission.concurrent_calls import TrafficSnapshot
from missedd.core.admission.judgement import Candidate
from missedd.core.admission.pauses import Pause
from missedd.core.model import Kind
from missedd.core.policy import Policy
from missedd.core.sliding_cap import CAP_WINDOW
from missedd.store.actions.concurrent_calls import load_ongoing_traffic
from missedd.store.actions.pauses import pauses_in_force
from missedd.store.actions.quarantine import quarantined_until
from missedd.store.actions.rows import ActionRow, load_placed_callbacks
from missedd.store.db.database import Database
from missedd.store.people.suppressions import Suppressions, suppressions_in_force


@dataclass(slots=True)
class GateFacts:
    """Facts at one instant about the numbers and campaigns of a batch of actions."""

    quarantined_until: datetime | None
    suppressions: Suppressions
    placed: list[tuple[str, str, datetime]]
    """(number, campaign, placed_at) of the callbacks of the last hour."""
    pauses: Mapping[str, Pause]
    traffic: TrafficSnapshot

    def is_quarantined(self, action: ActionRow) -> bool:
        """Whether the action is from before a restore, so that only an operator may release it."""
        return self.quarantined_until is not None and action.base_at <= self.quarantined_until

    def candidate(self, action: ActionRow, *, already_spoken_with: bool = False) -> Candidate:
        """The action as its gates judge it; for `already_spoken_with` see `has_spoken_since_call`."""
        owner = (action.number, action.campaign)
        return Candidate(
            kind=action.kind,
            campaign=action.campaign,
            plan=action.plan,
            expires_at=action.expires_at,
            is_suppressed=self.suppressions.blocks_action(action.number, action.kind, action.call_id),
            restrictions=self.suppressions.restrictions(action.number),
            other_callback_times=tuple(
                at for number, campaign, at in self.placed if (number, campaign) == owner
            ),
            already_spoken_with=already_spoken_with or action.was_call_answered,
            pause=self.pauses.get(action.campaign),
            number=action.number,
            exophone=action.exophone,
            due_at=action.due_at,
            traffic=self.traffic,
        )


async def load_gate_facts(
    db: Database, actions: Sequence[ActionRow], policy: Policy, now: datetime
) -> GateFacts:
    """Read the facts that the gates of these actions need at `now`."""
    numbers = json.dumps(sorted({action.number for action in actions}))
    return GateFacts(
        quarantined_until=await quarantined_until(db),
        suppressions=await suppressions_in_force(db, numbers, now),
        # Only placed callbacks count here: the pending ones will come to this gate themselves.
        placed=await load_placed_callbacks(db, numbers, now - CAP_WINDOW),
        pauses=await pauses_in_force(db, now),
        traffic=await load_ongoing_traffic(db, actions, policy, now),
    )


async def has_spoken_since_call(db: Database, action: ActionRow) -> bool:
    """Whether the campaign has spoken with the caller since the call for which this callback is owed.

    They may have spoken in another callback, in a later call, or in this very call if somebody took it after
    all. A retry is owed for the same call as the callback before it.
    """
    if action.kind is not Kind.CALLBACK:
        return False
    # The plus keeps the index by campaign out of the plan: a campaign has far more callbacks than a caller.
    rows = await db.fetch_all(
        """SELECT 1 FROM calls wish WHERE wish.id = ? AND (
               wish.reached_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM actions a WHERE a.number = ? AND a.kind = 'callback' AND +a.campaign = ?
                         AND coalesce(a.settled_outcome, a.outcome) = 'answered' AND a.id != ?
                         AND coalesce(a.answered_at, iif(a.settled_outcome IS NULL, a.closed_at, a.placed_at))
                             > wish.called_at)
            OR EXISTS (SELECT 1 FROM calls c WHERE c.caller = ? AND c.campaign = ?
                         AND (c.verdict = 'not-missed' AND c.reason = 'conversation'
                              OR c.reached_by = 'conversation')
                         AND c.called_at > wish.called_at))""",
        (action.call_id, action.number, action.campaign, action.id, action.number, action.campaign),
    )
    return bool(rows)
