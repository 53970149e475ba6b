"""Webhooks of several applications: each has its own queue, and one that hangs does not delay the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.base.clock import from_us
from missedd.core.policy import WebhookPolicy
from missedd.core.reasons import Reason
from missedd.core.upstream.endpoint_concurrency import MAX_REQUESTS, MAX_TO_HANGING, RESERVED_PER_ENDPOINT
from missedd.core.upstream.trouble import Trouble, TroubleKind
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.dispatch.attempt_result import TOO_LATE_WAIT_S, Withheld
from missedd.engine.dispatch.attempts import AttemptRecorder
from missedd.engine.leadership.term import Term
from missedd.engine.webhooks.endpoint_alerts import EndpointTroubles
from missedd.engine.webhooks.webhook_dispatcher import WebhookDispatcher
from missedd.engine.webhooks.webhook_sender import TIMEOUT_S
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.claims import ClaimedAction
from tests.core.campaigns import NOON, call, campaign, policy, seconds
from tests.engine.leadership.shared_terms import Election
from tests.engine.scene import EngineScene, scene

TIMED_OUT = Unknown("timeout", Reason.ENDPOINT_FAILED, "https://a.example.in/: no answer came in time")
REFUSED = Refused(True, "connection-refused", Reason.ENDPOINT_FAILED, "https://a.example.in/: refused")
TAKEN = Accepted(code="200")
WELL, HANGS = (0.05, TAKEN), (TIMEOUT_S, TIMED_OUT)

NAMES = "abcdefgh"
EXOPHONES = {name: f"+9180471200{index:02}" for index, name in enumerate(NAMES)}
HOOKS = policy(
    *(
        campaign(
            name=name, exophones=(EXOPHONES[name],), webhook=WebhookPolicy(f"https://{name}.example.in/")
        )
        for name in NAMES
    )
)


class Applications:
    """Each campaign's application: how long it takes to answer, and its answer."""

    def __init__(self, manners: Mapping[str, tuple[float, Answer]]) -> None:
        self.manners = dict(manners)
        self.out: Counter[str] = Counter()
        self.most_out: Counter[str] = Counter()
        self.most_hanging = 0
        self.asked = 0

    async def send(self, claimed: ClaimedAction, why_not_send: Callable[[], str | None]) -> Answer | Withheld:
        if (why_not := why_not_send()) is not None:
            return Withheld(why_not)
        name = claimed.action.campaign
        takes_s, answer = self.manners[name]
        self.asked += 1
        self.out[name] += 1
        self.most_out |= self.out
        hanging = sum(self.out[name] for name in self.out if self.manners[name] is HANGS)
        self.most_hanging = max(self.most_hanging, hanging)
        await trio.sleep(takes_s)
        self.out[name] -= 1
        return answer


@asynccontextmanager
async def sending(
    stage: EngineScene, applications: Applications, term: Term | None = None
) -> AsyncIterator[tuple[WebhookDispatcher, ActiveTroubles]]:
    troubles = ActiveTroubles()
    dispatcher = WebhookDispatcher(
        store=stage.store,
        recorder=AttemptRecorder(stage.store, stage.policy, stage.clock, stage.log, stage.timers),
        clock=stage.clock,
        rng=stage.rng,
        queues=stage.webhooks,
        send=applications.send,
        endpoint_troubles=EndpointTroubles(troubles, stage.clock, stage.log),
        term=term or Term(1),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatcher.run)
        yield dispatcher, troubles
        nursery.cancel_scope.cancel()


async def ring(stage: EngineScene, name: str, count: int, first: int = 0) -> None:
    """`count` people call a campaign at once."""
    to = (EXOPHONES[name],)
    numbers = range(first, first + count)
    await stage.calls(
        *(
            call(f"{name}{i}", stage.clock.now(), caller=f"+9198{NAMES.index(name)}{i:07}", dialled=to)
            for i in numbers
        )
    )


async def waited_s(stage: EngineScene, name: str) -> list[float]:
    """The seconds from due to delivered for each webhook of a campaign, shortest first."""
    rows = await stage.rows(
        "SELECT due_at, closed_at FROM actions WHERE campaign = ? AND outcome = 'delivered'", name
    )
    return sorted((from_us(closed_us) - from_us(due_us)).total_seconds() for due_us, closed_us in rows)


@pytest.mark.parametrize("was_well", [False, True])
async def test_beside_an_application_that_hangs_another_gets_its_webhooks_within_a_second(
    autojump_clock: MockClock, tmp_path: Path, was_well: bool
) -> None:
    """Also if the application answered well until now, and has all slots when it begins to hang."""
    applications = Applications({"a": WELL if was_well else HANGS, "b": WELL})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications):
        stage.disk.takes_s = 0.005
        await ring(stage, "a", 1)
        await trio.sleep(60)
        applications.manners["a"] = HANGS
        await ring(stage, "a", 500, first=1)
        await trio.sleep(0.5)
        assert applications.out["a"] == (MAX_REQUESTS if was_well else RESERVED_PER_ENDPOINT)
        for each in range(3):
            await ring(stage, "b", 20, first=20 * each)
            await trio.sleep(20)
        waits = await waited_s(stage, "b")
        assert len(waits) == 60
        assert waits[math.ceil(0.99 * len(waits)) - 1] < 1
        assert applications.out["a"] == RESERVED_PER_ENDPOINT
        assert len(stage.webhooks) > 400


async def test_all_that_hang_together_take_half_of_the_places_and_each_has_its_turn(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications(dict.fromkeys(NAMES, HANGS) | {"h": WELL})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications):
        for name in NAMES[:-1]:
            await ring(stage, name, 100)
        await trio.sleep(TIMEOUT_S + 1)
        applications.most_hanging = 0
        await trio.sleep(60)
        assert applications.most_hanging == MAX_TO_HANGING
        asked = await stage.rows(
            "SELECT campaign, count(*) FROM attempts JOIN actions ON actions.id = action_id GROUP BY campaign"
        )
        assert {name for name, _ in asked} == set(NAMES[:-1])
        assert min(count for _, count in asked) >= RESERVED_PER_ENDPOINT + 2
        await ring(stage, "h", 60)
        await trio.sleep(10)
        assert (await waited_s(stage, "h"))[-1] < 1


async def test_one_that_answers_again_is_served_as_any_other(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": HANGS, "b": HANGS, "c": HANGS})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications):
        for name in "abc":
            await ring(stage, name, 300)
        await trio.sleep(100)
        applications.manners["a"] = WELL
        await trio.sleep(2 * TIMEOUT_S + 1)
        # The webhooks that were tried before wait for their next try.
        assert len(await waited_s(stage, "a")) > 250
        assert applications.most_out["a"] == MAX_REQUESTS - MAX_TO_HANGING


async def test_nothing_spins_while_only_one_that_hangs_has_something_due(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": HANGS})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications):
        await ring(stage, "a", 200)
        await trio.sleep(3)
        asked, looks = applications.asked, 0
        choose = stage.webhooks.take_next

        def counted() -> object:
            nonlocal looks
            looks += 1
            return choose()

        stage.webhooks.take_next = counted  # type: ignore[method-assign,assignment]
        await trio.sleep(60)
        # Each freed slot and each due retry is one check of the queues, and there are few of both.
        assert applications.asked - asked == RESERVED_PER_ENDPOINT * 4
        assert looks < 60


async def test_several_go_at_once_and_again_until_they_are_taken(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": (2, REFUSED)})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications):
        await ring(stage, "a", 3)
        await trio.sleep(1)
        assert applications.out["a"] == 3
        applications.manners["a"] = WELL
        await trio.sleep(100)
        assert {row[1] for row in await stage.actions()} == {"delivered"}
        assert applications.asked == 6


async def test_memory_and_disk_agree_while_they_wait(autojump_clock: MockClock, tmp_path: Path) -> None:
    applications = Applications({"a": HANGS, "b": HANGS})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications):
        await ring(stage, "a", 40)
        await ring(stage, "b", 40)
        await trio.sleep(5)
        assert stage.timers.pending_ids() == await stage.due_on_disk()
        assert len(stage.webhooks) == 72


async def test_a_full_disk_sends_nothing_and_forgets_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": WELL})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications):
        stage.disk.takes_s = 0.01
        await ring(stage, "a", 5)
        stage.disk.is_full = True
        await trio.sleep(10)
        assert applications.asked == 0
        assert stage.timers.pending_ids() == await stage.due_on_disk()
        stage.disk.is_full = False
        await trio.sleep(5)
        assert len(await waited_s(stage, "a")) == applications.asked == 5


async def test_a_stop_claims_nothing_more_and_waits_for_what_is_out(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": (5, TAKEN)})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications) as (dispatcher, _):
        await ring(stage, "a", 30)
        await trio.sleep(1)
        dispatcher.stop()
        await trio.sleep(60)
        assert applications.asked == len(await waited_s(stage, "a")) == RESERVED_PER_ENDPOINT


async def test_what_fails_for_five_minutes_needs_a_person_until_it_is_taken(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": (0.1, REFUSED), "b": (0.1, REFUSED)})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications) as (_, troubles):
        await ring(stage, "a", 1)
        await ring(stage, "b", 1)
        await trio.sleep(120)
        applications.manners["b"] = WELL
        await ring(stage, "b", 1, first=1)
        await trio.sleep(179)
        assert troubles.active() == [], "it may be a restart, and the other was taken meanwhile"
        await trio.sleep(2)
        (trouble,) = troubles.active()
        assert trouble == Trouble(
            TroubleKind.WEBHOOK_FAILING,
            "https://a.example.in/",
            NOON + seconds(0.1),
            3,
            "The application takes no webhook: https://a.example.in/: refused",
            "start the application, or correct the port in the url of [campaign.webhook]",
        )
        assert len(stage.events("endpoint.failing")) == 1
        applications.manners["a"] = (0.1, TIMED_OUT)
        await trio.sleep(3600)
        (trouble,) = troubles.active()
        assert (trouble.since, trouble.tries > 3) == (NOON + seconds(0.1), True)
        assert (
            trouble.cause == "The application takes no webhook: https://a.example.in/: no answer came in time"
        )
        applications.manners["a"] = WELL
        await ring(stage, "a", 1, first=1)
        await trio.sleep(1)
        assert troubles.active() == []
        assert len(stage.events("endpoint.failing")) == len(stage.events("endpoint.answers")) == 1


async def test_with_one_address_nobody_asks_whose_they_are(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("missedd.engine.webhooks.webhook_dispatcher.campaigns_of_actions")
    applications = Applications({"a": WELL})
    async with scene(tmp_path, policy(HOOKS.campaigns[0])) as stage, sending(stage, applications):
        await ring(stage, "a", 40)
        await trio.sleep(5)
        assert len(await waited_s(stage, "a")) == 40
        assert applications.most_out["a"] == MAX_REQUESTS


async def test_what_no_campaign_sends_any_more_is_closed_and_holds_up_nobody(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": WELL})
    async with scene(tmp_path, HOOKS) as stage:
        await ring(stage, "a", 5)
        await ring(stage, "b", 40)
    fewer = policy(HOOKS.campaigns[0], *HOOKS.campaigns[2:])
    async with scene(tmp_path, fewer) as stage, sending(stage, applications):
        await trio.sleep(5)
        assert len(await waited_s(stage, "a")) == 5
        dropped = await stage.rows("SELECT count(*) FROM actions WHERE reason = 'no-longer-configured'")
        assert dropped == [(40,)]


async def test_a_webhook_whose_claim_took_too_long_is_given_back(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications = Applications({"a": WELL})
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications, Election().elect()) as (_, told):
        await ring(stage, "a", 1)
        stage.disk.takes_s = 0.6
        await trio.sleep(1.4)
        assert applications.asked == 0
        assert (await stage.attempts("result, code, reason"))[0] == ("refused", "too-late", "given-back")
        stage.disk.takes_s = 0.0
        await trio.sleep(TOO_LATE_WAIT_S + 1)
        assert applications.asked == 1
        assert await stage.actions("outcome") == [("delivered",)]
        assert told.active() == []


async def test_no_webhook_is_claimed_while_the_lease_is_in_doubt(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    applications, election = Applications({"a": WELL}), Election()
    term = election.elect()
    async with scene(tmp_path, HOOKS) as stage, sending(stage, applications, term):
        election.is_trusted = False
        await ring(stage, "a", 3)
        await trio.sleep(60)
        assert await stage.attempts() == []
        election.is_trusted = True
        await trio.sleep(1)
        assert applications.asked == 3
