"""P3 for callers with whom a campaign has spoken: calls from before that get no callback any more.

Example: Asha calls at 10:00 and again at 10:05, and an agent answers the second call. The campaign does
not call her back for the first.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from simulator.exchange.model.call_shapes import CallShape
from simulator.exchange.model.ground_truth import GroundTruth
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks.inbound_scripts import script_of
from simulator.exchange.webhooks.passthru import DATE_FIELDS
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

_DATE_PARAMETERS = re.compile(rf"[?&](?:{'|'.join(DATE_FIELDS)})=[^&]*")

_SPOKEN_IN_CALL_SQL = """
SELECT a.id, a.number, c.call_sid FROM attempts t
JOIN actions a ON a.id = t.action_id AND a.kind = 'callback'
JOIN calls wish ON wish.id = a.call_id
JOIN calls c ON c.caller = a.number AND c.campaign = a.campaign
            AND (c.reason = 'conversation' OR c.reached_by = 'conversation')
WHERE c.called_at > wish.called_at AND coalesce(c.reached_at, c.received_at) < t.started_at"""
_SPOKEN_IN_SAME_CALL_SQL = """
SELECT a.id, a.number, c.call_sid FROM calls c
JOIN actions a ON a.call_id = c.id AND a.kind IN ('sms', 'callback')
LEFT JOIN attempts t ON t.action_id = a.id
WHERE c.reached_at < t.started_at OR (a.outcome = 'handed-over' AND c.reached_at < a.closed_at)"""
_SPOKEN_IN_CALLBACK_SQL = """
SELECT a.id, a.number, o.provider_sid FROM attempts t
JOIN actions a ON a.id = t.action_id AND a.kind = 'callback'
JOIN calls wish ON wish.id = a.call_id
JOIN actions o ON o.number = a.number AND o.campaign = a.campaign AND o.id != a.id
WHERE o.kind = 'callback' AND o.outcome = 'answered'
  AND coalesce(o.answered_at, o.closed_at) > wish.called_at AND o.closed_at < t.started_at"""


async def judge_spoken_with(simulation: Simulation, observer: StoreObserver, results: PromiseResults) -> None:
    """Compare attempts with what the daemon knew before; both instants are by the daemon's clock."""
    ((cancelled,),) = await observer.rows(
        "SELECT count(*) FROM actions WHERE outcome = 'cancelled' AND reason = 'reached-otherwise'"
    )
    results.count_occasions("P3 reached", cancelled)
    await _judge_answered_calls(simulation.exchange.ground_truth, observer, results)
    if simulation.daemons.were_clocks_wrong:
        return  # after a clock step, before and after can't be told apart
    for sql in (_SPOKEN_IN_CALL_SQL, _SPOKEN_IN_CALLBACK_SQL, _SPOKEN_IN_SAME_CALL_SQL):
        for action_id, number, sid in await observer.rows(sql):
            results.add_violation(
                "P3 reached",
                f"action {action_id} went to {number}, whom the campaign had spoken with in {sid}",
                f"action {action_id}",
                number,
            )


async def _judge_answered_calls(
    ground_truth: GroundTruth, observer: StoreObserver, results: PromiseResults
) -> None:
    """A call that an agent or a voicemail took is stored as such once the webhook has reported this."""
    stored = {
        sid: (verdict, reason, by)
        for sid, verdict, reason, by in await observer.rows(
            "SELECT call_sid, verdict, reason, reached_by FROM calls WHERE caller NOT LIKE 'erased:%'"
        )
    }
    for ring in ground_truth.inbound:
        if ring.call_sid not in stored or not _is_proof_acknowledged(ground_truth, ring):
            continue
        verdict, reason, by = stored[ring.call_sid]
        proof = "voicemail" if ring.talked_until is None else "conversation"
        results.check(
            "P3 reached",
            proof in (by, reason),
            f"call {ring.call_sid} was a {proof}, as was told, and it is on record as {verdict} [{reason}]",
            ring.call_sid,
            ring.number,
        )


def _is_proof_acknowledged(ground_truth: GroundTruth, ring: InboundRing) -> bool:
    """Whether all webhooks about the end of a call got a 2xx, including the one that proves the answer."""
    taken_at: datetime | None = ring.talked_until or ring.voicemail_at
    script = script_of(CallShape(ring.shape), ring.talked_s)
    if taken_at is None or not script.requests:
        return False
    expected = [request for request in script.requests if request.event.tells_end]
    if all(ring.rung_at + timedelta(seconds=request.at_s) < taken_at for request in expected):
        return False  # the flow has no Passthru after the conversation
    # A repeated webhook may have dates that the first delivery lacked.
    acknowledged = {
        _DATE_PARAMETERS.sub("", delivery.url)
        for delivery in ground_truth.deliveries_of(ring.call_sid)
        if delivery.kind == "missed-call"
        and delivery.tells_end
        and delivery.status is not None
        and delivery.status < 300
    }
    return len(acknowledged) >= len(expected)
