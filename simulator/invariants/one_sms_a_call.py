"""P2 for SMS: a call leads to at most one SMS, sent by the API or by the SMS applet."""

from __future__ import annotations

from collections import defaultdict

from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults


async def judge_sms(simulation: Simulation, observer: StoreObserver, results: PromiseResults) -> None:
    rows = await observer.rows(
        """SELECT a.id, c.call_sid, a.number, a.outcome FROM actions a JOIN calls c ON c.id = a.call_id
           WHERE a.kind = 'sms'"""
    )
    call_of = {str(action_id): sid for action_id, sid, _, _ in rows}
    handed = {(sid, number) for _, sid, number, outcome in rows if outcome == "handed-over"}
    texted: defaultdict[str, list[str]] = defaultdict(list)
    for text in simulation.exchange.ground_truth.texts:
        if text.via == "api":
            # An SMS without an action is reported by the check of P2 on API requests.
            sid = call_of.get(text.fields.get("CustomField", ""), "")
        else:
            sid = text.fields["CallSid"]
            results.check(
                "P2 once",
                (sid, text.number) in handed,
                f"the applet gave {text.number} a text for call {sid} that is on no record",
                sid,
            )
        texted[sid].append(f"{text.sid} by {text.via}")
    for sid, texts in texted.items():
        results.check(
            "P2 once", len(texts) == 1, f"call {sid} was answered by {len(texts)} texts: {texts}", sid
        )
