"""What a missed call leads to, decided once: a verdict, its reason, its actions.

The order of the rules is part of the contract: the first rule that applies gives the verdict. `decide` reads
nothing but its arguments. The store calls it inside the transaction that records the result. So two
deliveries of one call, or two calls of one caller, always see each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from missedd.core.admission.caller_history import CallerHistory, KnownCall
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD, is_too_far_ahead
from missedd.core.admission.dedup import is_within_dedup_window, returns_missed_callback
from missedd.core.admission.pauses import Pause
from missedd.core.admission.plans import plan_callback, plan_contacts, plan_records
from missedd.core.model import Admission, InboundCall, Kind, PlannedAction, Verdict
from missedd.core.policy import Policy
from missedd.core.reasons import ANSWERED_REASONS, Reason

NO_PAUSES: Final[Mapping[str, Pause]] = {}

_SUPPRESSED_RECORDS: Final = (Kind.VOTE, Kind.UNSUBSCRIBE, Kind.VERIFY)
"""What is recorded for a suppressed caller: these contact nobody."""

_OPTED_OUT_RECORDS: Final = (*_SUPPRESSED_RECORDS, Kind.SUBSCRIBE)
"""A caller who opted out may join again: their own call ends their own opt-out."""


def decide(
    call: InboundCall,
    policy: Policy,
    known: KnownCall | None,
    history: CallerHistory,
    received_at: datetime,
    pauses: Mapping[str, Pause] = NO_PAUSES,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> Admission:
    """Decide one call, which was received at `received_at` (UTC).

    `known` is the earlier decision on its CallSid, None for a new call. `pauses` are those in force, by
    campaign. `clock_ahead` is how far our clock may be ahead.
    """
    called_at = effective_call_time(call, received_at)
    campaign, exophone = policy.campaign_of_call(call)
    name = campaign.name if campaign else None

    def verdict(verdict: Verdict, reason: Reason, *actions: PlannedAction) -> Admission:
        return Admission(verdict, reason, name, exophone, called_at, actions)

    if known is not None and not needs_new_decision(call, known):
        return verdict(Verdict.REDELIVERED, Reason.ALREADY_SEEN)
    if call.not_missed is not None:
        return verdict(Verdict.NOT_MISSED, call.not_missed)
    if campaign is None:
        return verdict(Verdict.UNKNOWN_EXOPHONE, Reason.NO_SUCH_EXOPHONE)
    if call.caller is None:
        return verdict(Verdict.NO_CALLER_ID, Reason.WITHHELD_NUMBER)
    if policy.is_own_number(call.caller):
        # Not a person: our own call to one of our numbers, or somebody who fakes our number.
        return verdict(Verdict.OWN_NUMBER, Reason.OWN_NUMBER)
    records = plan_records(campaign, called_at)
    if history.is_suppressed or history.opt_out is not None:
        allowed = _SUPPRESSED_RECORDS if history.is_suppressed else _OPTED_OUT_RECORDS
        return verdict(
            Verdict.SUPPRESSED, Reason.CALLER_SUPPRESSED, *[each for each in records if each.kind in allowed]
        )
    pause = pauses.get(campaign.name)
    facts = (
        campaign,
        policy,
        history,
        pause,
        called_at,
        received_at,
        call.caller,
        exophone or "",
        clock_ahead,
    )
    if is_within_dedup_window(campaign, history, called_at):
        is_return = returns_missed_callback(campaign, history, called_at)
        callback = plan_callback(*facts, Reason.RANG_BACK) if is_return else ()
        no_lead = [each for each in records if each.kind is not Kind.LEAD]
        return verdict(Verdict.DUPLICATE, Reason.WITHIN_DEDUP_WINDOW, *no_lead, *callback)
    reason = Reason.FIRST_CALL if campaign.dedup_window else Reason.NO_DEDUP_WINDOW
    return verdict(Verdict.ACCEPTED, reason, *records, *plan_contacts(*facts))


def needs_new_decision(call: InboundCall, known: KnownCall) -> bool:
    """Whether another request for a known CallSid adds something to what was known.

    A flow may report one call several times: while an agent's phone rings, before a Connect applet and after
    it. A decision from a report during the call is taken again at its end. A report that the call was
    answered is final and overrides every earlier decision.
    """
    if known.is_final:
        return False
    return call.not_missed in ANSWERED_REASONS or (
        known.verdict is Verdict.NOT_MISSED and call.not_missed is None
    )


def effective_call_time(call: InboundCall, received_at: datetime) -> datetime:
    """The call's own time (UTC), or the time of receipt if the call has none or its clock is wrong."""
    if call.called_at is None or is_too_far_ahead(call.called_at, received_at):
        return received_at
    return call.called_at
