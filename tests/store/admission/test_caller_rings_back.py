"""Who rings back after a callback that they missed is heard, inside the dedup window too."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Lane, Outcome
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused
from missedd.store.actions.rows import Timer
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.store import Store
from tests.core.campaigns import (
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    everything,
    minutes,
    policy,
    seconds,
)
from tests.store.steps import (
    DUE,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    end_callback,
    lookup_until_expired,
    place_callback,
    rows,
    verdict_texts,
)

OF = policy(campaign(callback=callback(max_per_hour=9)))
RETRYING = policy(campaign(callback=callback(max_per_hour=9, retries=(minutes(10),))))
OVER = DUE + seconds(20.6)
"""When the callback ended, by the provider's report."""
TOLD = DUE + seconds(40)
HEARD = ("planned", None, "rang-back")
UNANSWERED = [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED]


async def called_back(store: Store, outcome: Outcome | None = Outcome.NO_ANSWER, of: Policy = OF) -> None:
    """A call, its callback, and how that ended; None where that is not known yet."""
    await admit_calls(store, call("c1"), of=of)
    await place_callback(store, of=of)
    if outcome is not None:
        await end_callback(store, outcome, at=TOLD, of=of, ended_at=OVER)


async def rings(
    store: Store, at: datetime, sid: str = "c2", of: Policy = OF, **changes: object
) -> AdmittedCall:
    (found,) = await admit_calls(store, call(sid, at, **changes), of=of, at=max(at, TOLD))
    return found


async def callbacks(store: Store) -> list[tuple[object, ...]]:
    return (
        await rows(store, "SELECT state, outcome, reason FROM actions WHERE kind = 'callback' ORDER BY id")
    )[1:]


@pytest.mark.parametrize("outcome", UNANSWERED)
async def test_who_rings_back_is_called_back(store: Store, outcome: Outcome) -> None:
    await called_back(store, outcome)
    again = NOON + minutes(2)
    found = await rings(store, again)
    assert (verdict_texts([found]), found.admission.reason) == (["duplicate"], Reason.WITHIN_DEDUP_WINDOW)
    assert found.timers == (Timer(to_us(again + seconds(30)), 2, Lane.VOICE),)
    assert await rows(
        store,
        """SELECT a.state, a.reason, a.due_at, a.expires_at, a.chain_at, a.retry_index, c.call_sid
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.id = 2""",
    ) == [
        (
            "planned",
            "rang-back",
            to_us(again + seconds(30)),
            to_us(again + minutes(15)),
            None,
            0,
            "c2",
        )
    ]
    await place_callback(store, 2, at=again + seconds(30), of=OF)


@pytest.mark.parametrize(
    ("second", "is_heard"), [(21, True), (20, True), (19, False), (0, False), (-10, False)]
)
async def test_the_second_in_which_it_ended_counts_and_nothing_before(
    store: Store, second: float, is_heard: bool
) -> None:
    """Exotel tells of times by the second; the callback ended 20.6 s after it was due."""
    await called_back(store)
    found = await rings(store, DUE + seconds(second))
    assert verdict_texts([found]) == ["duplicate"]
    assert await callbacks(store) == ([HEARD] if is_heard else [])


async def test_who_was_spoken_with_is_not_called_back(store: Store) -> None:
    await called_back(store, Outcome.ANSWERED)
    assert verdict_texts([await rings(store, NOON + minutes(2))]) == ["duplicate"]
    assert await callbacks(store) == []


async def test_who_rings_before_any_callback_went_out_owes_to_the_first_call(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    assert verdict_texts([await rings(store, NOON + seconds(10))]) == ["duplicate"]
    await admit_calls(store, call("c3", caller=OTHER), of=OF)
    assert await rows(store, "SELECT number = ? FROM actions ORDER BY id", OTHER) == [(0,), (1,)]


async def test_a_refused_one_rang_nobody_so_there_is_nothing_to_answer(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, 1, of=OF)
    await answer_action(store, Refused(False, "400", Reason.PROVIDER_REFUSED), of=OF)
    assert verdict_texts([await rings(store, NOON + minutes(2))]) == ["duplicate"]
    assert await callbacks(store) == []


async def test_a_caller_rings_back_to_the_last_callback(store: Store) -> None:
    """The retry was answered."""
    await called_back(store, of=RETRYING)
    at = TOLD + minutes(10)
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=minutes(30)))
    await place_callback(store, 2, at=at, of=of)
    assert await callbacks(store) == [("placed", None, "provider-accepted")]
    await end_callback(store, Outcome.ANSWERED, 2, at=at + seconds(40), of=of)
    found = await rings(store, at + minutes(2), of=of)
    assert verdict_texts([found]) == ["duplicate"]
    assert len(await callbacks(store)) == 1


async def test_while_the_last_one_is_on_its_way_nobody_rings_back(store: Store) -> None:
    await called_back(store, of=RETRYING)
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=minutes(30)))
    at = TOLD + minutes(10)
    await claim_actions(store, 2, at=at, of=of)
    assert verdict_texts([await rings(store, at + seconds(5), of=of)]) == ["duplicate"]
    assert await callbacks(store) == [("attempting", None, "retry-unanswered")]


async def test_a_callback_of_another_campaign_or_to_somebody_else_says_nothing(store: Store) -> None:
    of = policy(*OF.campaigns, campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=callback()))
    await admit_calls(
        store, call("c1"), call("d1", dialled=(SECOND_EXOPHONE,)), call("e1", caller=OTHER), of=of
    )
    await place_callback(store, 1, of=of)
    await end_callback(store, Outcome.NO_ANSWER, at=TOLD, of=of, ended_at=OVER)
    again = NOON + minutes(2)
    await rings(store, again, "d2", of, dialled=(SECOND_EXOPHONE,))
    await rings(store, again, "e2", of, caller=OTHER)
    assert await actions(store) == [
        ("done", "no-answer", "customer-no-answer"),
        ("planned", None, "owed"),
        ("planned", None, "owed"),
    ]


async def test_nothing_else_is_owed_for_it(store: Store) -> None:
    """No SMS, no lead's call, no webhook; what keeps to rules of its own is recorded as ever."""
    of = policy(everything(callback=callback(max_per_hour=9), unsubscribe=None))
    await admit_calls(store, call("c1"), of=of)
    ((first,),) = await rows(store, "SELECT id FROM actions WHERE kind = 'callback'")
    await place_callback(store, first, of=of)
    await end_callback(store, Outcome.BUSY, first, at=TOLD, of=of, ended_at=OVER)
    found = await rings(store, NOON + minutes(2), of=of)
    assert [str(each.kind) for each in found.admission.actions] == ["vote", "subscribe", "verify", "callback"]
    for kind in ("lead", "sms", "webhook"):
        assert await rows(store, "SELECT count(*) FROM actions WHERE kind = ?", kind) == [(1,)]
    assert await rows(store, "SELECT status, count FROM leads") == [("new", 2)], "as for any duplicate"


async def test_a_retry_that_waits_gives_way(store: Store) -> None:
    await called_back(store, of=RETRYING)
    again = NOON + minutes(2)
    found = await rings(store, again, of=RETRYING)
    assert await callbacks(store) == [("done", "dropped", "already-owed"), HEARD]
    assert await rows(store, "SELECT due_at, chain_at FROM actions WHERE id = 3") == [
        (to_us(again + seconds(30)), None)
    ]
    assert [each.id for each in found.cancelled] == [2]


async def test_who_rings_back_twice_is_owed_one(store: Store) -> None:
    await called_back(store)
    for n in range(3):
        await rings(store, NOON + minutes(2) + seconds(n), f"c{n + 2}")
    assert await callbacks(store) == [*[("done", "dropped", "already-owed")] * 2, HEARD]
    first_due = NOON + minutes(2) + seconds(30)
    assert await rows(store, "SELECT due_at, chain_at FROM actions WHERE id = 4") == [
        (to_us(first_due), to_us(NOON + minutes(2)))
    ]


async def test_who_misses_the_second_one_too_and_rings_back_again_is_heard_again(store: Store) -> None:
    await called_back(store)
    again = NOON + minutes(2)
    await rings(store, again)
    await place_callback(store, 2, at=again + seconds(30), of=OF)
    over = again + seconds(50)
    await end_callback(store, Outcome.BUSY, 2, at=over, of=OF, ended_at=over)
    assert verdict_texts([await rings(store, over + seconds(5), "c3")]) == ["duplicate"]
    assert await callbacks(store) == [("done", "busy", "customer-busy"), HEARD]


async def test_an_unanswered_callback_for_a_ring_back_is_retried(store: Store) -> None:
    await called_back(store, of=RETRYING)
    again = NOON + minutes(2)
    await rings(store, again, of=RETRYING)
    await place_callback(store, 3, at=again + seconds(30), of=RETRYING)
    over = again + minutes(1)
    applied = await end_callback(store, Outcome.BUSY, 3, at=over, of=RETRYING)
    assert applied.timers == (Timer(to_us(over + minutes(10)), 4, Lane.VOICE),)


async def test_the_cap_holds_for_it(store: Store) -> None:
    of = policy(campaign(callback=callback(max_per_hour=1)))
    await called_back(store, of=of)
    found = await rings(store, NOON + minutes(2), of=of)
    assert (verdict_texts([found]), found.timers) == (["duplicate"], ())
    assert await callbacks(store) == [("done", "dropped", "max-per-hour")]


@pytest.mark.parametrize(
    ("after", "verdict"), [(minutes(5), "accepted"), (minutes(5) - seconds(1), "duplicate")]
)
async def test_outside_the_window_it_is_an_ordinary_call(
    store: Store, after: timedelta, verdict: str
) -> None:
    await called_back(store)
    found = await rings(store, NOON + after)
    assert verdict_texts([found]) == [verdict]
    assert await callbacks(store) == [HEARD if verdict == "duplicate" else ("planned", None, "owed")]


async def test_a_redelivery_of_it_changes_nothing(store: Store) -> None:
    await called_back(store)
    again = NOON + minutes(2)
    await rings(store, again)
    assert verdict_texts([await rings(store, again)]) == ["redelivered"]
    assert await callbacks(store) == [HEARD]


# The outcome is learnt after the caller has rung back.
@pytest.mark.parametrize("outcome", UNANSWERED)
@pytest.mark.parametrize("of", [OF, RETRYING])
async def test_who_rang_back_before_its_report_came_is_called_back_at_it(
    store: Store, outcome: Outcome, of: Policy
) -> None:
    """And nothing is retried beside it."""
    await called_back(store, None, of)
    again = OVER + seconds(3)
    (found,) = await admit_calls(store, call("c2", again), of=of, at=again)
    assert verdict_texts([found]) == ["duplicate"]
    assert await callbacks(store) == []
    applied = await end_callback(store, outcome, at=TOLD, of=of, ended_at=OVER)
    assert await callbacks(store) == [HEARD]
    assert applied.timers == (Timer(to_us(again + seconds(30)), 2, Lane.VOICE),)
    assert await rows(
        store,
        """SELECT c.call_sid, a.due_at, a.expires_at, a.retry_index, a.origin_id
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.id = 2""",
    ) == [("c2", to_us(again + seconds(30)), to_us(again + minutes(15)), 0, None)]
    assert (await end_callback(store, outcome, at=TOLD, of=of, ended_at=OVER)).timers == ()
    assert await callbacks(store) == [HEARD]


@pytest.mark.parametrize(("second", "is_heard"), [(20, True), (19, False)])
async def test_then_too_the_very_second_counts(store: Store, second: float, is_heard: bool) -> None:
    await called_back(store, None, RETRYING)
    again = DUE + seconds(second)
    await admit_calls(store, call("c2", again), of=RETRYING, at=again + seconds(2))
    await end_callback(store, Outcome.NO_ANSWER, at=TOLD, of=RETRYING, ended_at=OVER)
    assert await callbacks(store) == [HEARD if is_heard else ("planned", None, "retry-unanswered")]


async def test_of_several_the_latest_is_answered(store: Store) -> None:
    await called_back(store, None)
    for n in range(3):
        await admit_calls(store, call(f"c{n + 2}", OVER + seconds(n)), of=OF, at=OVER + seconds(n))
    await end_callback(store, Outcome.NO_ANSWER, at=TOLD, of=OF, ended_at=OVER)
    assert await callbacks(store) == [HEARD]
    assert await rows(
        store, "SELECT c.call_sid FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.id = 2"
    ) == [("c4",)]


async def test_who_was_spoken_with_in_it_is_not(store: Store) -> None:
    await called_back(store, None)
    await admit_calls(store, call("c2", OVER + seconds(3)), of=OF, at=OVER + seconds(3))
    applied = await end_callback(store, Outcome.ANSWERED, at=TOLD, of=OF, ended_at=OVER)
    assert (await callbacks(store), applied.timers) == ([], ())


async def test_a_call_that_was_accepted_meanwhile_is_owed_already(store: Store) -> None:
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=seconds(40)))
    await called_back(store, None, of)
    again = OVER + seconds(3)
    (found,) = await admit_calls(store, call("c2", again), of=of, at=again)
    assert verdict_texts([found]) == ["accepted"]
    applied = await end_callback(store, Outcome.NO_ANSWER, at=TOLD, of=of, ended_at=OVER)
    assert await callbacks(store) == [("planned", None, "owed")]
    assert applied.timers == ()


async def test_by_a_look_up_that_tells_no_end_only_what_comes_after_it_is_heard(store: Store) -> None:
    await called_back(store, None)
    again = OVER + seconds(3)
    await admit_calls(store, call("c2", again), of=OF, at=again)
    await end_callback(store, Outcome.NO_ANSWER, at=TOLD, of=OF)
    assert await callbacks(store) == []
    await rings(store, TOLD + seconds(2), "c3")
    assert await callbacks(store) == [HEARD]


async def test_a_callback_of_which_nobody_ever_told_is_no_conversation(store: Store) -> None:
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=timedelta(hours=4)))
    await admit_calls(store, call("c1"), of=of)
    await claim_actions(store, 1, of=of)
    await answer_action(store, Accepted("sid-1"), of=of)
    await lookup_until_expired(store, of=of)
    ((closed_us,),) = await rows(store, "SELECT closed_at FROM actions")
    again = DUE + timedelta(hours=3)
    assert closed_us < to_us(again)
    assert verdict_texts([await rings(store, again, of=of)]) == ["duplicate"]
    assert await callbacks(store) == [HEARD]
