"""Deduplication: which calls of one caller to one campaign count as one.

Example with `dedup_window = "5m"`: the call of 10:00 is accepted, the call of 10:03 is a duplicate, and the
call of 10:06 is accepted again. The window starts at the last *accepted* call, so repeated calls cannot
extend it.

A duplicate contacts nobody, with one exception: a caller who calls back after a missed callback gets another.

Exotel may also deliver the webhook of one call several times. Such a redelivery has the same CallSid and is
recognised before this rule; see `missedd.core.admission.decide`.
"""

from __future__ import annotations

from datetime import datetime

from missedd.core.admission.caller_history import CallerHistory
from missedd.core.policy import Campaign


def is_within_dedup_window(campaign: Campaign, history: CallerHistory, called_at: datetime) -> bool:
    """Whether the campaign accepted another call from this caller less than `dedup_window` before or after.

    After counts too: a late webhook may report a call that came just before an accepted one.
    """
    for name, accepted_at in history.accepted:
        if name == campaign.name and abs(called_at - accepted_at) < campaign.dedup_window:
            return True
    return False


def returns_missed_callback(campaign: Campaign, history: CallerHistory, called_at: datetime) -> bool:
    """Whether a call within the dedup window came after a callback that the caller missed.

    The callback must belong to the same window. Exotel's times are whole seconds, so a call in the second in
    which the callback ended counts as after it.
    """
    missed = history.unanswered_callbacks.get(campaign.name)
    return (
        missed is not None
        and called_at >= missed.ended_at.replace(microsecond=0)
        and any(
            name == campaign.name
            and accepted_at <= missed.placed_at
            and abs(called_at - accepted_at) < campaign.dedup_window
            for name, accepted_at in history.accepted
        )
    )
