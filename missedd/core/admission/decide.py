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

from missedd.core.admission.caller_history import CallerHistory, Seen
from missedd.core.admission.gates import NOT_AHEAD, too_far_ahead
from missedd.core.admission.pauses import Pause
from missedd.core.admission.plans import called_back, owed, recorded
from missedd.core.model import Admission, InboundCall, Kind, PlannedAction, Verdict
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import PROOFS, Reason

NO_PAUSES: Final[Mapping[str, Pause]] = {}


def decide(
    call: InboundCall,
    policy: Policy,
    seen: Seen | None,
    history: CallerHistory,
    received_at: datetime,
    pauses: Mapping[str, Pause] = NO_PAUSES,
    ahead: timedelta = NOT_AHEAD,
) -> Admission:
    """Decide one call. `seen` is what was said of its CallSid before, None for a new one; `pauses`
    are those in force, by campaign. `ahead` is how far the clock of `received_at` may be ahead.
    """
    called_at = own_time(call, received_at)
    campaign, exophone = policy.owner(call)
    name = campaign.name if campaign else None

    def verdict(verdict: Verdict, reason: Reason, *actions: PlannedAction) -> Admission:
        return Admission(verdict, reason, name, exophone, called_at, actions)

    if seen is not None and not is_news(call, seen):
        return verdict(Verdict.REDELIVERED, Reason.ALREADY_SEEN)
    if call.not_missed is not None:
        return verdict(Verdict.NOT_MISSED, call.not_missed)
    if campaign is None:
        return verdict(Verdict.UNKNOWN_EXOPHONE, Reason.NO_SUCH_EXOPHONE)
    if call.caller is None:
        return verdict(Verdict.NO_CALLER_ID, Reason.WITHHELD_NUMBER)
    if policy.is_own(call.caller):
        # Not a person: our own call to a number of ours, or its number borrowed by somebody else.
        return verdict(Verdict.OWN_NUMBER, Reason.OWN_NUMBER)
    done = recorded(campaign, called_at)
    if history.is_suppressed or history.opt_out is not None:
        # Who opted out may join again: their word put them on the list, and their word takes them off.
        joins = () if history.is_suppressed else (Kind.SUBSCRIBE,)
        quiet = (Kind.VOTE, Kind.UNSUBSCRIBE, Kind.VERIFY, *joins)
        kept = (each for each in done if each.kind in quiet)
        return verdict(Verdict.SUPPRESSED, Reason.CALLER_SUPPRESSED, *kept)
    pause, rung = pauses.get(campaign.name), exophone or ""
    if _within_window(campaign, history, called_at):
        kept = (each for each in done if each.kind is not Kind.LEAD)
        heard = (
            called_back(
                campaign,
                policy,
                history,
                pause,
                called_at,
                received_at,
                call.caller,
                rung,
                Reason.RANG_BACK,
                ahead,
            )
            if history.rings_back(campaign, called_at)
            else ()
        )
        return verdict(Verdict.DUPLICATE, Reason.WITHIN_DEDUP_WINDOW, *kept, *heard)
    to_do = owed(campaign, policy, history, pause, called_at, received_at, call.caller, rung, ahead)
    reason = Reason.FIRST_CALL if campaign.dedup_window else Reason.NO_DEDUP_WINDOW
    return verdict(Verdict.ACCEPTED, reason, *done, *to_do)


def is_news(call: InboundCall, seen: Seen) -> bool:
    """Whether another request of a known CallSid says more of the call than was known.

    A flow may tell of one call several times: of an agent's phone that rings, before a Connect and
    behind it. What was said of it while it went on is decided again at its end; a proof that somebody
    took it stands for good, and holds against whatever was decided before.
    """
    if seen.is_final:
        return False
    return call.not_missed in PROOFS or (seen.verdict is Verdict.NOT_MISSED and call.not_missed is None)


def own_time(call: InboundCall, received_at: datetime) -> datetime:
    """The call's own time, or its receipt where that is missing or a wrong clock's."""
    if call.called_at is None or too_far_ahead(call.called_at, received_at):
        return received_at
    return call.called_at


def _within_window(campaign: Campaign, history: CallerHistory, called_at: datetime) -> bool:
    # In either direction: a late delivery of a call just before an accepted one is the same wish.
    return any(
        name == campaign.name and abs(called_at - accepted_at) < campaign.dedup_window
        for name, accepted_at in history.accepted
    )
