"""P3 held against whom a campaign had spoken with: nobody is called back for a call from before that."""

from __future__ import annotations

from simulator.runner.stage import Stage
from simulator.runner.tally import Tally
from simulator.runner.witness import Witness

_BY_A_CALL = """
SELECT a.id, a.number, c.call_sid FROM attempts t
JOIN actions a ON a.id = t.action_id AND a.kind = 'callback'
JOIN calls wish ON wish.id = a.call_id
JOIN calls c ON c.caller = a.number AND c.campaign = a.campaign
            AND (c.reason = 'conversation' OR c.reached_by = 'conversation')
WHERE c.called_at > wish.called_at AND coalesce(c.reached_at, c.received_at) < t.started_at"""
_BY_THE_CALL_ITSELF = """
SELECT a.id, a.number, c.call_sid FROM calls c
JOIN actions a ON a.call_id = c.id AND a.kind IN ('sms', 'callback')
LEFT JOIN attempts t ON t.action_id = a.id
WHERE c.reached_at < t.started_at OR (a.outcome = 'handed-over' AND c.reached_at < a.closed_at)"""
_BY_A_CALLBACK = """
SELECT a.id, a.number, o.provider_sid FROM attempts t
JOIN actions a ON a.id = t.action_id AND a.kind = 'callback'
JOIN calls wish ON wish.id = a.call_id
JOIN actions o ON o.number = a.number AND o.campaign = a.campaign AND o.id != a.id
WHERE o.kind = 'callback' AND o.outcome = 'answered'
  AND coalesce(o.answered_at, o.closed_at) > wish.called_at AND o.closed_at < t.started_at"""


async def judge_reached(stage: Stage, witness: Witness, tally: Tally) -> None:
    """What was known before an attempt was made; both are the daemon's own instants."""
    ((cancelled,),) = await witness.rows(
        "SELECT count(*) FROM actions WHERE outcome = 'cancelled' AND reason = 'reached-otherwise'"
    )
    tally.reach("P3 reached", cancelled)
    if stage.clock.was_stepped:
        return  # before and after can't be told apart
    for sql in (_BY_A_CALL, _BY_A_CALLBACK, _BY_THE_CALL_ITSELF):
        for action_id, number, sid in await witness.rows(sql):
            tally.breach(
                "P3 reached",
                f"action {action_id} went to {number}, whom the campaign had spoken with in {sid}",
                f"action {action_id}",
                number,
            )
