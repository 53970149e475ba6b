"""What the log tells of callbacks that ended because the caller was reached before their time came."""

from __future__ import annotations

from collections.abc import Iterable

from missedd.log import Event, Logger
from missedd.store.rows import ActionRow


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
