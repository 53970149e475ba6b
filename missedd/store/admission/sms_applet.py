"""The unit of work that gives the text of an SMS to Exotel's SMS applet, so the dispatcher does not send it.

Either the applet or the dispatcher sends the SMS, whichever comes first. An SMS that is handed over is done
before its text leaves missedd. For an SMS that is sent, or being sent, the applet gets no text. A second
request for the same call gets no text either, as the first response may have arrived: better no SMS than two.
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
from missedd.store.actions.action_transitions import close_action
from missedd.store.actions.gate_facts import load_gate_facts
from missedd.store.actions.rows import ActionRow, fetch_actions
from missedd.store.actions.sms_text import render_sms
from missedd.store.admission.admit import admit, preview_admission
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.db.database import Database
from missedd.store.db.lock_keys import LockKeys


@dataclass(frozen=True, slots=True)
class SmsHandover:
    """The result of a request of the SMS applet."""

    text: str = ""
    """The text to send; empty for none."""
    action: ActionRow | None = None
    """The SMS that was handed over, if there was one."""
    admitted: AdmittedCall | None = None
    """The call, if it was unknown until this request."""


async def hand_over_sms(
    db: Database,
    call: InboundCall,
    policy: Policy,
    now: datetime,
    is_client_waiting: Callable[[], bool],
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> SmsHandover:
    """Return the text of the SMS owed for `call`, and end that SMS; an unknown call is admitted first.

    Nothing is handed over if the client is gone (`is_client_waiting`): then the dispatcher sends the SMS.
    `clock_ahead` is how far the clock of `now` may be ahead.
    """
    call_id, admitted = await _find_call_id(db, call), None
    if call_id is None:
        (admitted,) = await admit(db, [call], policy, now, clock_ahead)
        call_id = await _find_call_id(db, call)
    owed = await _find_owed_sms(db, call_id, policy, now, clock_ahead) if is_client_waiting() else None
    if owed is None:
        return SmsHandover(admitted=admitted)
    action, text = owed
    # The request may name the person otherwise than the call did, or not at all.
    await db.lock(LockKeys.of(action.number))
    await record_details(db, action, sms_details(text))
    await close_action(db, action.id, Outcome.HANDED_OVER, Reason.HANDED_TO_APPLET, now)
    return SmsHandover(text, action, admitted)


async def preview_sms(
    db: Database, call: InboundCall, policy: Policy, now: datetime, clock_ahead: timedelta = CLOCK_NOT_AHEAD
) -> str:
    """The text that `hand_over_sms` would return; writes nothing. For HEAD requests."""
    call_id = await _find_call_id(db, call)
    if call_id is not None:
        owed = await _find_owed_sms(db, call_id, policy, now, clock_ahead)
        return "" if owed is None else owed[1]
    admission = await preview_admission(db, call, policy, now, clock_ahead)
    for planned in admission.actions:
        if planned.kind is Kind.SMS and planned.state is State.PLANNED and call.caller and admission.campaign:
            rendered = await render_sms(
                db, policy, admission.campaign, planned.plan, call.caller, planned.base_at, now
            )
            return rendered.text if rendered is not None and rendered.matches_template else ""
    return ""


async def _find_call_id(db: Database, call: InboundCall) -> int | None:
    """The id of the call that a request is about; None if it is unknown.

    The flow of our own callback may have the applet too. Then the request is about the call that the callback
    answers, even while the reply with the callback's Sid is still on its way or lost.
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
    """The SMS of a call that may be handed over now, with its text; the gates judge it as usual.

    An SMS that the gates hold or close is left to the dispatcher, which asks the same gates.
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
        rendered = await render_sms(
            db, policy, action.campaign, action.plan, action.number, action.base_at, now
        )
        if rendered is not None and rendered.matches_template:
            return action, rendered.text
    return None
