"""The dedup window: where it ends, and what a stream of calls makes of it and of the cap."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.admission.caller_history import CallerHistory
from missedd.core.model import Admission, Kind, State, Verdict
from missedd.core.policy import AfterHoursCallback, Campaign, MessageClass
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import CAP_WINDOW
from tests.core.admission.decisions import decided
from tests.core.campaigns import (
    NOON,
    after_hours,
    call,
    callback,
    campaign,
    everything,
    minutes,
    office,
    policy,
    seconds,
)


# The dedup window of five minutes, as seconds since the accepted call.
@pytest.mark.parametrize(
    ("since", "verdict"),
    [
        (0, Verdict.DUPLICATE),
        (299.999999, Verdict.DUPLICATE),
        (300, Verdict.ACCEPTED),
        (-299.999999, Verdict.DUPLICATE),
        (-300, Verdict.ACCEPTED),
    ],
)
def test_the_window_ends_exactly_at_its_length(since: float, verdict: Verdict) -> None:
    history = CallerHistory(accepted=[("admissions", NOON - seconds(since))])
    assert decided(call(), history=history).verdict is verdict


def test_another_campaigns_window_is_its_own() -> None:
    history = CallerHistory(accepted=[("elsewhere", NOON)])
    assert decided(call(), history=history).verdict is Verdict.ACCEPTED


def test_a_window_of_nothing_takes_every_call() -> None:
    history = CallerHistory(accepted=[("admissions", NOON)])
    found = decided(call(), everything(dedup_window=minutes(0)), history=history)
    assert (found.verdict, found.reason) == (Verdict.ACCEPTED, Reason.NO_DEDUP_WINDOW)
    assert decided(call(), everything()).reason is Reason.FIRST_CALL


def stream(
    offsets: Sequence[float], *, of: Campaign | None = None, lags: Sequence[float] = ()
) -> list[Admission]:
    """Decide one caller's calls, given by their seconds since noon, each remembered for the next.

    Every callback is placed as it is due.
    """
    history, admissions = CallerHistory(), []
    for index, offset in enumerate(offsets):
        at = NOON + seconds(offset)
        received_at = at + seconds(lags[index] if lags else 1)
        inbound = call(f"c{index}", at)
        admissions.append(
            decided(inbound, of or campaign(callback=callback()), history=history, received_at=received_at)
        )
        history.record_accepted(admissions[-1])
        history.placed += [
            ("admissions", action.due_at)
            for action in admissions[-1].actions
            if action.kind is Kind.CALLBACK and action.state is not State.DONE
        ]
    return admissions


def test_a_stream_of_repeats_cannot_postpone_the_window() -> None:
    verdicts = [each.verdict for each in stream(range(0, 901, 60))]
    accepted = [index for index, verdict in enumerate(verdicts) if verdict is Verdict.ACCEPTED]
    assert accepted == [0, 5, 10, 15]


@given(
    st.lists(st.integers(0, 3600).map(float), max_size=30),
    st.integers(0, 900),
)
def test_no_window_ever_holds_two_accepted_calls(offsets: list[float], window_s: int) -> None:
    of = campaign(dedup_window=seconds(window_s))
    accepted = [each.called_at for each in stream(offsets, of=of) if each.verdict is Verdict.ACCEPTED]
    for one in accepted:
        assert sum(one <= each < one + of.dedup_window for each in accepted) <= max(
            1, len(accepted) * (not window_s)
        )


@given(
    st.lists(st.integers(0, 6 * 3600).map(float), max_size=30).map(sorted),
    st.integers(1, 3),
    st.sampled_from([0, 60, 600]),
)
def test_planned_callbacks_keep_the_cap(offsets: list[float], max_per_hour: int, window_s: int) -> None:
    of = campaign(dedup_window=seconds(window_s), callback=callback(max_per_hour=max_per_hour))
    planned = [
        action.due_at
        for each in stream(offsets, of=of)
        for action in each.actions
        if action.state is not State.DONE
    ]
    for one in planned:
        assert sum(one <= each < one + CAP_WINDOW for each in planned) <= max_per_hour
    accepted = sum(each.verdict is Verdict.ACCEPTED for each in stream(offsets, of=of))
    assert bool(planned) is bool(accepted)


@given(
    st.lists(st.integers(0, 48 * 3600).map(float), max_size=20).map(sorted),
    st.sampled_from(list(AfterHoursCallback)),
    st.sampled_from(list(MessageClass)),
)
def test_whatever_the_hours_no_planned_instant_breaks_them(
    offsets: list[float], mode: AfterHoursCallback, message_class: MessageClass
) -> None:
    hours = office()
    of = campaign(
        dedup_window=seconds(60),
        callback=callback(max_per_hour=1, message_class=message_class),
        hours=hours,
        after_hours=after_hours(mode),
    )
    planned = [a for each in stream(offsets, of=of) for a in each.actions if a.state is not State.DONE]
    instants = [each.due_at for each in planned]
    for one in instants:
        assert mode is AfterHoursCallback.SAME or hours.is_open(one)
        assert sum(one <= each < one + CAP_WINDOW for each in instants) <= 1
        if message_class is MessageClass.PROMOTIONAL:
            assert policy().promotional_hours.next_opening(one, "Asia/Kolkata") == one
    for each in planned:
        assert each.expires_at is not None
        assert each.expires_at >= each.due_at
