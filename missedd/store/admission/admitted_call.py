"""What admission returns for each call of a batch."""

from __future__ import annotations

from missedd.base.value_type import fast_dataclass
from missedd.core.model import Admission, InboundCall
from missedd.store.actions.rows import ActionRow, Timer


@fast_dataclass(frozen=True, slots=True)
class AdmittedCall:
    """One decided call, its decision, and the timers of its actions that are not done."""

    call: InboundCall
    admission: Admission
    timers: tuple[Timer, ...]
    own_callback_id: int | None = None
    """The action id of our own callback, where a `not-missed` request is about one."""
    cancelled: tuple[ActionRow, ...] = ()
    """Actions that are no longer owed: somebody took this call, or a newer callback replaced them."""
    late_answered_call_id: int | None = None
    """The id of this call, where it was decided before the proof arrived that somebody had taken it."""
    sent_callbacks: tuple[ActionRow, ...] = ()
    """The callbacks of this call that had been placed before that proof arrived."""
