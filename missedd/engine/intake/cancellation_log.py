"""Log lines about actions that were cancelled because the caller was reached, or were sent too early."""

from __future__ import annotations

from collections.abc import Iterable

from missedd.core.reasons import EARLY_WEBHOOK_ADVICE
from missedd.log.logger import Event, Logger
from missedd.store.actions.rows import ActionRow
from missedd.store.admission.admitted_call import AdmittedCall


def log_cancelled(log: Logger, actions: Iterable[ActionRow]) -> None:
    for action in actions:
        log.info(
            Event.ACTION_CLOSED,
            action=action.id,
            kind=action.kind,
            campaign=action.campaign,
            outcome=action.outcome,
            reason=action.reason,
        )


def log_early_report(log: Logger, admitted: AdmittedCall) -> None:
    """Warn if a webhook came before its call was over, and the callback rang a caller who was talking."""
    campaign = admitted.sent_callbacks[0].campaign
    log.log_throttled(
        "warning",
        Event.CALL_TOLD_EARLY,
        campaign,
        call_sid=admitted.call.call_sid,
        campaign=campaign,
        reached_by=admitted.admission.reason,
        actions=[each.id for each in admitted.sent_callbacks],
        advice=EARLY_WEBHOOK_ADVICE,
    )
