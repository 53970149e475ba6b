"""What the log tells of actions that ended as the caller was reached, and of those that had gone out."""

from __future__ import annotations

from collections.abc import Iterable

from missedd.core.reasons import TOLD_EARLY_ADVICE
from missedd.log.logger import Event, Logger
from missedd.store.actions.rows import ActionRow
from missedd.store.admission.admit import Admitted


def note_cancelled(log: Logger, actions: Iterable[ActionRow]) -> None:
    for each in actions:
        log.info(
            Event.ACTION_CLOSED,
            action=each.id,
            kind=each.kind,
            campaign=each.campaign,
            outcome=each.outcome,
            reason=each.reason,
        )


def note_told_early(log: Logger, decided: Admitted) -> None:
    """A call was told of before it was over, and its callback rang somebody who was being spoken with."""
    if decided.gone_out:
        campaign = decided.gone_out[0].campaign
        log.repeated(
            "warning",
            Event.CALL_TOLD_EARLY,
            campaign,
            call_sid=decided.call.call_sid,
            campaign=campaign,
            reached_by=decided.admission.reason,
            actions=[each.id for each in decided.gone_out],
            advice=TOLD_EARLY_ADVICE,
        )
