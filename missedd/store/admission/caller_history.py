"""What is known of a batch of calls and of their callers before any of them is decided."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from missedd.base.clock import from_us, to_us
from missedd.core.admission.caller_history import (
    CallerHistory,
    KnownCall,
    UnansweredCallback,
    history_lookback,
)
from missedd.core.analytics.figures import is_agent_miss
from missedd.core.model import InboundCall, Outcome, State, Verdict
from missedd.core.policy import Policy
from missedd.store.actions.owed_callback import parse_pending_callback
from missedd.store.db.database import Database
from missedd.store.people.consents import latest_subscribed_at
from missedd.store.people.suppressions import suppressions_in_force


async def load_known_calls(db: Database, calls: Sequence[InboundCall]) -> dict[str, tuple[int, KnownCall]]:
    sids = json.dumps([call.call_sid for call in calls])
    # A call of an erased number is over, whatever was said of it: it must not bring the number back.
    rows = await db.fetch_all(
        """SELECT call_sid, id, iif(caller GLOB 'erased:*', 'redelivered', verdict), reason,
               reached_at IS NOT NULL FROM calls
           WHERE call_sid IN (SELECT value FROM json_each(?))""",
        (sids,),
    )
    return {
        sid: (call_id, KnownCall(Verdict(verdict), reason, bool(is_reached)))
        for sid, call_id, verdict, reason, is_reached in rows
    }


async def match_own_callbacks(db: Database, calls: Sequence[InboundCall]) -> dict[str, int]:
    """Which requests are about callbacks of ours: a Passthru in a flow tells of the outgoing call."""
    sids = [call.call_sid for call in calls if call.not_missed is not None]
    if not sids:
        return {}
    rows = await db.fetch_all(
        "SELECT provider_sid, id FROM actions WHERE provider_sid IN (SELECT value FROM json_each(?))",
        (json.dumps(sids),),
    )
    return {str(sid): int(action_id) for sid, action_id in rows}


_NOBODY_TALKED: Final = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED, Outcome.UNKNOWN)


async def load_caller_histories(
    db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
) -> defaultdict[str, CallerHistory]:
    histories: defaultdict[str, CallerHistory] = defaultdict(CallerHistory)
    numbers = sorted({call.caller for call in calls if call.caller})
    callers = json.dumps(numbers)
    reach = history_lookback(policy)
    earliest = min([received_at, *(call.called_at for call in calls if call.called_at)])
    latest = received_at + timedelta(minutes=2)
    accepted = await db.fetch_all(
        """SELECT caller, campaign, called_at FROM calls
           WHERE caller IN (SELECT value FROM json_each(?)) AND called_at BETWEEN ? AND ?
             AND verdict = 'accepted' AND reached_at IS NULL AND campaign IS NOT NULL""",
        (callers, to_us(earliest - reach), to_us(latest + reach)),
    )
    for caller, campaign, called_at in accepted:
        histories[caller].accepted.append((campaign, from_us(called_at)))
    if any(each.callback for each in policy.campaigns):
        await _load_callbacks(db, histories, callers, earliest - reach)
    suppressed = await suppressions_in_force(db, callers, received_at)
    for caller in suppressed.numbers:
        histories[caller].is_suppressed = suppressed.is_suppressed(caller)
        histories[caller].restrictions = suppressed.restrictions(caller)
        histories[caller].calls_refused_at = suppressed.calls_refused_at(caller)
        histories[caller].opt_out = suppressed.opt_out(caller)
    if any(each.opts_callers_out for each in policy.campaigns):
        for caller, joined_at in (await latest_subscribed_at(db, numbers)).items():
            histories[caller].joined_at = joined_at
    return histories


async def _load_callbacks(
    db: Database, histories: defaultdict[str, CallerHistory], callers: str, since: datetime
) -> None:
    """Callbacks that wait, and those placed from `since` on, in the order in which they were."""
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
    for caller, campaign, state, outcome, reason, placed_us, ended_us, *owed in rows:
        history = histories[caller]
        if placed_us is None:
            history.pending_callbacks[campaign] = parse_pending_callback(owed)
            continue
        if not is_agent_miss(outcome, reason):
            history.placed.append((campaign, from_us(placed_us)))
        history.unanswered_callbacks.pop(campaign, None)
        if state == State.DONE and outcome in _NOBODY_TALKED:
            history.unanswered_callbacks[campaign] = UnansweredCallback(from_us(placed_us), from_us(ended_us))
