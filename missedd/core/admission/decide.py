"""What a missed call leads to, decided once: a verdict, its reason, its actions.

The order of the rules is the contract; the first that applies is the verdict. Nothing is read
here but the arguments: the store calls `decide` inside the transaction that records its result,
so two deliveries of one call, or two calls of one caller, cannot both see the past without the
other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from missedd.core.admission.caller_history import CallerHistory, KnownCall
from missedd.core.admission.gates import CLOCK_NOT_AHEAD, is_too_far_ahead
from missedd.core.admission.pauses import Pause
from missedd.core.admission.plans import plan_callback, plan_contacts, plan_records
from missedd.core.model import Admission, InboundCall, Kind, PlannedAction, Verdict
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import ANSWERED_REASONS, Reason

NO_PAUSES: Final[Mapping[str, Pause]] = {}


def decide(
    call: InboundCall,
    policy: Policy,
    known: KnownCall | None,
    history: CallerHistory,
    received_at: datetime,
    pauses: Mapping[str, Pause] = NO_PAUSES,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> Admission:
    """Decide one call. `known` is what was said of its CallSid before, None for a new one; `pauses`
    are those in force, by campaign. `clock_ahead` is how far the clock of `received_at` may be ahead.
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
        # Not a person: our own call to a number of ours, or its number borrowed by somebody else.
        return verdict(Verdict.OWN_NUMBER, Reason.OWN_NUMBER)
    done = plan_records(campaign, called_at)
    if history.is_suppressed or history.opt_out is not None:
        # Who opted out may join again: their word put them on the list, and their word takes them off.
        joins = () if history.is_suppressed else (Kind.SUBSCRIBE,)
        quiet = (Kind.VOTE, Kind.UNSUBSCRIBE, Kind.VERIFY, *joins)
        kept = (each for each in done if each.kind in quiet)
        return verdict(Verdict.SUPPRESSED, Reason.CALLER_SUPPRESSED, *kept)
    pause, rung = pauses.get(campaign.name), exophone or ""
    if _is_within_dedup_window(campaign, history, called_at):
        kept = (each for each in done if each.kind is not Kind.LEAD)
        heard = (
            plan_callback(
                campaign,
                policy,
                history,
                pause,
                called_at,
                received_at,
                call.caller,
                rung,
                Reason.RANG_BACK,
                clock_ahead,
            )
            if history.returns_missed_callback(campaign, called_at)
            else ()
        )
        return verdict(Verdict.DUPLICATE, Reason.WITHIN_DEDUP_WINDOW, *kept, *heard)
    to_do = plan_contacts(
        campaign, policy, history, pause, called_at, received_at, call.caller, rung, clock_ahead
    )
    reason = Reason.FIRST_CALL if campaign.dedup_window else Reason.NO_DEDUP_WINDOW
    return verdict(Verdict.ACCEPTED, reason, *done, *to_do)


def needs_new_decision(call: InboundCall, known: KnownCall) -> bool:
    """Whether another request of a known CallSid says more of the call than was known.

    A flow may tell of one call several times: of an agent's phone that rings, before a Connect and
    behind it. What was said of it while it went on is decided again at its end; a proof that somebody
    took it stands for good, and holds against whatever was decided before.
    """
    if known.is_final:
        return False
    return call.not_missed in ANSWERED_REASONS or (
        known.verdict is Verdict.NOT_MISSED and call.not_missed is None
    )


def effective_call_time(call: InboundCall, received_at: datetime) -> datetime:
    """The call's own time, or its receipt where that is missing or a wrong clock's."""
    if call.called_at is None or is_too_far_ahead(call.called_at, received_at):
        return received_at
    return call.called_at


def _is_within_dedup_window(campaign: Campaign, history: CallerHistory, called_at: datetime) -> bool:
    # In either direction: a late delivery of a call just before an accepted one is the same wish.
    return any(
        name == campaign.name and abs(called_at - accepted_at) < campaign.dedup_window
        for name, accepted_at in history.accepted
    )
