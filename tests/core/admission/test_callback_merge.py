"""One callback owed to a caller by a campaign: which of two remains, when it is due, which call it
answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.admission.callback_merge import (
    CallbackMovedUp,
    CallbackReplaced,
    PendingCallback,
    merge_callbacks,
)
from missedd.core.model import Kind, Outcome, PlannedAction, State
from missedd.core.reasons import Reason
from tests.core.campaigns import NOON, minutes, seconds


def planned(called_at: datetime, **changes: Any) -> PlannedAction:
    """The callback for a call, with a delay of 30 seconds and an expiry after 15 minutes."""
    ordinary = PlannedAction(
        kind=Kind.CALLBACK,
        state=State.PLANNED,
        base_at=called_at,
        due_at=called_at + seconds(30),
        expires_at=called_at + minutes(15),
        reason=Reason.OWED,
    )
    return replace(ordinary, **changes)


def waiting(called_at: datetime, **changes: Any) -> PendingCallback:
    ordinary = PendingCallback(7, called_at, called_at + seconds(30), called_at, is_retry=False)
    return replace(ordinary, **changes)


LATER = NOON + minutes(6)


def test_the_first_one_is_left_as_it_is() -> None:
    new = planned(NOON)
    assert merge_callbacks(new, 8, NOON, None) == (new, None)


def test_the_one_for_the_later_call_remains_and_is_due_when_the_earlier_was() -> None:
    new = planned(LATER)
    remains, change = merge_callbacks(new, 8, LATER, waiting(NOON))
    assert change == CallbackReplaced(7, replacement_id=8)
    assert (remains.state, remains.due_at, remains.chain_at) == (State.PLANNED, NOON + seconds(30), NOON)
    assert (remains.expires_at, remains.retry_index) == (LATER + minutes(15), 0)


def test_a_merged_callback_keeps_the_earlier_due_time() -> None:
    opening = NOON + minutes(600)
    remains, change = merge_callbacks(planned(LATER), 8, LATER, waiting(NOON, due_at=opening))
    assert (remains.due_at, change) == (LATER + seconds(30), CallbackReplaced(7, replacement_id=8))


def test_what_waits_for_an_opening_goes_before_the_closing_with_the_other() -> None:
    held = planned(LATER, state=State.HELD, reason=Reason.BUSINESS_CLOSED, due_at=NOON + minutes(900))
    remains, _ = merge_callbacks(held, 8, LATER, waiting(NOON))
    assert (remains.state, remains.reason, remains.due_at) == (State.PLANNED, Reason.OWED, NOON + seconds(30))


def test_what_a_pause_holds_stays_held() -> None:
    held = planned(LATER, state=State.HELD, reason=Reason.CAMPAIGN_PAUSED, next_check_at=LATER + minutes(15))
    remains, _ = merge_callbacks(held, 8, LATER, waiting(NOON))
    assert (remains.state, remains.reason, remains.due_at) == (
        State.HELD,
        Reason.CAMPAIGN_PAUSED,
        NOON + seconds(30),
    )
    assert remains.wake_at == LATER + minutes(15)


def test_a_waiting_retry_gives_way_and_neither_hastens_nor_lengthens_the_wait() -> None:
    retry = waiting(NOON, due_at=NOON + minutes(5), is_retry=True)
    new = planned(LATER)
    assert merge_callbacks(new, 8, LATER, retry) == (new, CallbackReplaced(7, replacement_id=8))


def test_a_retry_closes_for_the_later_call_and_changes_nothing_of_it() -> None:
    retry = planned(NOON, due_at=NOON + minutes(1), retry_index=1, reason=Reason.RETRY_UNANSWERED)
    closed, change = merge_callbacks(retry, 8, NOON, waiting(LATER))
    assert change is None
    assert (closed.state, closed.outcome, closed.reason) == (
        State.DONE,
        Outcome.DROPPED,
        Reason.ALREADY_OWED,
    )
    assert closed.details == {"replaced_by": "7"}


def test_the_next_agents_closes_for_the_later_call_which_goes_at_once() -> None:
    at_once = planned(NOON, due_at=NOON + minutes(1), reason=Reason.AGENT_NO_ANSWER)
    closed, change = merge_callbacks(at_once, 8, NOON, waiting(LATER))
    assert closed.reason is Reason.ALREADY_OWED
    assert change == CallbackMovedUp(7, NOON + minutes(1), NOON)


def test_a_call_that_was_told_of_late_closes_for_the_later_one() -> None:
    closed, change = merge_callbacks(planned(NOON), 8, NOON, waiting(LATER))
    assert (closed.outcome, closed.details) == (Outcome.DROPPED, {"replaced_by": "7"})
    assert change == CallbackMovedUp(7, NOON + seconds(30), NOON)


def test_where_its_own_gates_closed_the_new_one_the_other_stays() -> None:
    closed = planned(LATER, state=State.DONE, outcome=Outcome.DROPPED, reason=Reason.MAX_PER_HOUR)
    assert merge_callbacks(closed, 8, LATER, waiting(NOON)) == (closed, None)


@pytest.mark.parametrize("offset_s", [0, 0.4])
def test_of_two_calls_of_one_second_the_one_that_came_in_later_remains(offset_s: float) -> None:
    at = NOON + seconds(offset_s)
    assert merge_callbacks(planned(at), 8, at, waiting(NOON))[1] == CallbackReplaced(7, replacement_id=8)


@given(st.lists(st.tuples(st.integers(0, 7200), st.booleans()), min_size=1, max_size=12))
def test_of_any_stream_one_remains_for_the_latest_call_due_as_early_as_any(
    calls: list[tuple[int, bool]],
) -> None:
    """Calls in their order of arrival, as seconds since noon; gates close some of the callbacks."""
    owed: PendingCallback | None = None
    passed: list[datetime] = []
    for action_id, (offset_s, is_closed) in enumerate(calls):
        at = NOON + seconds(offset_s)
        closed = {"state": State.DONE, "outcome": Outcome.DROPPED} if is_closed else {}
        remains, change = merge_callbacks(planned(at, **closed), action_id, at, owed)
        if not is_closed:
            passed.append(at)
        if isinstance(change, CallbackMovedUp) and owed is not None:
            owed = replace(owed, due_at=change.due_at, chain_at=change.chain_at)
        elif remains.state is not State.DONE:
            owed = PendingCallback(action_id, at, remains.due_at, remains.chain_at or at, is_retry=False)
    if not passed:
        assert owed is None
        return
    assert owed is not None
    assert owed.called_at == max(passed)
    assert (owed.due_at, owed.chain_at) == (min(passed) + seconds(30), min(passed))
