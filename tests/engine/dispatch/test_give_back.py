"""If a claim took too long, or the lease is in doubt, nothing is sent, and the action goes on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import TOO_LATE_WAIT_S
from missedd.engine.leadership.term import Term, run_term
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.request_result import Refused
from missedd.store.actions.timers import recent_attempt_times
from tests.core.campaigns import callback, campaign, policy
from tests.engine.dispatch.scene import CALLBACKS, dispatching, number
from tests.engine.leadership.shared_terms import Election
from tests.engine.scene import Provider, scene


async def test_a_claim_that_took_too_long_is_given_back(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider, term=Election().elect()):
            await stage.call()
            await trio.sleep(callback_due_s() - 0.1)
            stage.disk.takes_s = 0.6
            await trio.sleep(1.4)  # the claim, and the result of the attempt
            assert provider.requests == []
            assert await stage.attempts("number, result, code, reason") == [
                (1, "refused", "too-late", "given-back")
            ]
            # It does not count against the caller's cap, and no channel is taken.
            assert await stage.actions("state, reason, placed_at") == [("planned", "given-back", None)]
            stage.disk.takes_s = 0.0
            await trio.sleep(TOO_LATE_WAIT_S + 1)
            assert provider.asked_for == [1]
            assert await stage.attempts("number, result") == [(1, "refused"), (2, "accepted")]


async def test_what_is_given_back_uses_no_slot_of_the_rate_limit(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """With two slots a minute, three claims that took too long leave both slots to those that follow."""
    async with scene(tmp_path, CALLBACKS) as stage:
        provider, budget = Provider(stage), RateLimiter(2)
        async with dispatching(stage, provider, term=Election().elect(), budget=budget):
            await stage.call()
            await trio.sleep(callback_due_s() - 0.1)
            stage.disk.takes_s = 0.6
            await trio.sleep(7)
            assert len(await stage.rows("SELECT 1 FROM attempts WHERE reason = 'given-back'")) >= 3
            assert budget.used_share <= 0.5, "at most the slot of the claim that is open"
            stage.disk.takes_s = 0.0
            await trio.sleep(TOO_LATE_WAIT_S + 2)
            assert provider.asked_for == [1]
        load = partial(recent_attempt_times, lane=Lane.VOICE, now=stage.clock.now())
        assert len(await stage.store.read(load)) == 1


async def test_a_slow_disk_stops_no_node_that_has_its_database_alone(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider, term=Term(1)):
            await stage.call()
            stage.disk.takes_s = 5.0
            await trio.sleep(callback_due_s() + 12)
            assert provider.asked_for == [1]


async def test_what_is_given_back_is_no_try_of_the_request(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The wait after a refusal grows with the tries, and those that were given back are none."""
    async with scene(tmp_path, CALLBACKS) as stage:
        busy = Refused(True, "503", Reason.PROVIDER_BUSY)
        provider = Provider(stage, [busy])
        async with dispatching(stage, provider, term=Election().elect()):
            await stage.call()
            await trio.sleep(callback_due_s() - 0.1)
            stage.disk.takes_s = 0.6
            await trio.sleep(12)
            stage.disk.takes_s = 0.0
            await trio.sleep(20)
        given_back = len(await stage.rows("SELECT 1 FROM attempts WHERE reason = 'given-back'"))
        assert given_back >= 3
        first, second = provider.asked_at
        assert 5 <= second - first < 7, "the first wait of a refusal"


async def test_nothing_is_claimed_while_the_lease_is_in_doubt(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    election = Election()
    term = election.elect()
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        budget = RateLimiter(200, wait_until_allowed=term.wait_until_trusted)
        async with dispatching(stage, provider, term=term, budget=budget):
            election.is_trusted = False
            for index in range(3):
                await stage.call(f"c{index}", caller=number(index))
            await trio.sleep(callback_due_s() + 60)
            assert provider.requests == []
            assert await stage.attempts() == []
            election.is_trusted = True
            await trio.sleep(10)
            assert sorted(provider.asked_for) == [1, 2, 3]


async def test_a_lease_that_ends_during_the_claim_stops_the_request(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    election = Election()
    term = election.elect()
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider, term=term):
            await stage.call()
            await trio.sleep(callback_due_s() - 0.1)
            stage.disk.takes_s = 0.3
            await trio.sleep(0.2)
            election.is_trusted = False
            await trio.sleep(0.6)
            assert provider.requests == []
            assert (await stage.attempts("code, reason"))[0] == ("not-leading", "given-back")


async def test_what_was_claimed_when_the_term_ended_is_noted_as_not_sent(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Otherwise the next term would look for the call, and never make it."""
    term = Election().elect()
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)

        async def lead(term: Term, task_status: trio.TaskStatus[None]) -> None:
            async with dispatching(stage, provider, term=term):
                await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_term, lead, term)
            await stage.call()
            await trio.sleep(callback_due_s() - 0.1)
            stage.disk.takes_s = 0.3
            await trio.sleep(0.2)
            term.lost.set()  # while the claim is being committed
        assert provider.requests == []
        assert await stage.attempts("code, reason") == [("not-leading", "given-back")]
        assert await stage.actions("state") == [("planned",)]


def callback_due_s() -> float:
    """Seconds from the call to its callback."""
    planned = policy(campaign(callback=callback())).campaigns[0].callback
    assert planned is not None
    return planned.delay.total_seconds()
