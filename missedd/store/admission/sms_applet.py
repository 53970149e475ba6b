"""The unit that gives a caller's text to the SMS applet, and so takes it from the dispatcher.

Whoever comes first sends it: an SMS that was handed over is done before its text leaves, and one
that is sent, or being sent, has no text any more. A second request for the same call gets none
either, as the first answer may have arrived: rather no text than two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from missedd.core.actions.details import sms_details
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.gates import judge
from missedd.core.admission.judgement import Go
from missedd.core.model import InboundCall, Kind, Outcome, State
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_facts import record_details
from missedd.store.actions.claims import close_action
from missedd.store.actions.gate_facts import load_gate_facts
from missedd.store.actions.rows import ActionRow, fetch_actions
from missedd.store.actions.sms_text import render_sms
from missedd.store.admission.admit import AdmittedCall, admit, preview_admission
from missedd.store.db.database import Database


@dataclass(frozen=True, slots=True)
class SmsHandover:
    """`action` is the SMS that this ended, if there was one; `admitted` the call, if it was news."""

    text: str = ""
    action: ActionRow | None = None
    admitted: AdmittedCall | None = None


async def hand_over_sms(
    db: Database,
    call: InboundCall,
    policy: Policy,
    now: datetime,
    is_client_waiting: Callable[[], bool],
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> SmsHandover:
    """Give the text owed for `call`, and end its SMS; a call that is not known yet is admitted first.

    Nothing is handed over once nobody waits for it (`is_client_waiting`): then the dispatcher sends it.
    `ahead` is
    how far the clock may be ahead.
    """
    call_id, admitted = await _find_call_id(db, call), None
    if call_id is None:
        (admitted,) = await admit(db, [call], policy, now, clock_ahead)
        call_id = await _find_call_id(db, call)
    owed = await _find_owed_sms(db, call_id, policy, now, clock_ahead) if is_client_waiting() else None
    if owed is None:
        return SmsHandover(admitted=admitted)
    action, text = owed
    await record_details(db, action, sms_details(text))
    await close_action(db, action.id, Outcome.HANDED_OVER, Reason.HANDED_TO_APPLET, now)
    return SmsHandover(text, action, admitted)


async def preview_sms(
    db: Database, call: InboundCall, policy: Policy, now: datetime, clock_ahead: timedelta = CLOCK_NOT_AHEAD
) -> str:
    """The text that `hand_over_sms` would give, with nothing written: for the headers of a HEAD."""
    call_id = await _find_call_id(db, call)
    if call_id is not None:
        owed = await _find_owed_sms(db, call_id, policy, now, clock_ahead)
        return "" if owed is None else owed[1]
    admission = await preview_admission(db, call, policy, now, clock_ahead)
    for planned in admission.actions:
        if planned.kind is Kind.SMS and planned.state is State.PLANNED and call.caller and admission.campaign:
            written = await render_sms(
                db, policy, admission.campaign, planned.plan, call.caller, planned.base_at, now
            )
            return written.text if written is not None and written.matches_template else ""
    return ""


async def _find_call_id(db: Database, call: InboundCall) -> int | None:
    """The call that a CallSid is about, if we have it.

    The flow of a callback of ours may have the applet too: its request is about the call that the
    callback answers, even while the answer that would tell us its Sid is still out or lost.
    """
    rows = await db.fetch_all(
        """SELECT id FROM calls WHERE call_sid = ?
           UNION ALL SELECT call_id FROM actions WHERE provider_sid = ?
           UNION ALL SELECT call_id FROM actions
             WHERE number = ? AND kind = 'callback' AND state = 'attempting' AND provider_sid IS NULL
           LIMIT 1""",
        (call.call_sid, call.call_sid, call.caller),
    )
    return int(rows[0][0]) if rows else None


async def _find_owed_sms(
    db: Database, call_id: int | None, policy: Policy, now: datetime, clock_ahead: timedelta
) -> tuple[ActionRow, str] | None:
    """The SMS of a call that may be handed over, with its text: judged by the gates as at any sending.

    What they hold or close is left to the dispatcher, which comes to the same gates.
    """
    rows = await db.fetch_all("SELECT id FROM actions WHERE call_id = ? AND kind = 'sms'", (call_id,))
    for action in await fetch_actions(db, [action_id for (action_id,) in rows]):
        if step(action.state, ActionEvent.HAND_OVER) is None:
            continue
        facts = await load_gate_facts(db, [action], policy, now)
        if facts.is_quarantined(action):
            continue
        candidate = replace(facts.candidate(action, already_spoken_with=False), clock_ahead=clock_ahead)
        if not isinstance(judge(candidate, policy, now), Go):
            continue
        written = await render_sms(
            db, policy, action.campaign, action.plan, action.number, action.base_at, now
        )
        if written is not None and written.matches_template:
            return action, written.text
    return None
