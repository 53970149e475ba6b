"""The page of today and the queue: figures, troubles and forecasts."""

from __future__ import annotations

import re
from datetime import timedelta

from missedd.core.analytics.backlog_forecast import Backlog, DueGroup
from missedd.core.api_types.analytics import ActionCountJson, FiguresJson
from missedd.core.api_types.campaigns import PendingJson
from missedd.core.model import Kind, Lane
from missedd.core.upstream.trouble import TroubleKind
from missedd.web.console.campaigns import PendingCount, pending_by_state
from missedd.web.console.queue import lane_backlogs
from missedd.web.console.today import callback_counts
from tests.core.objects import made
from tests.store.database import NOON
from tests.web.conftest import Private


async def test_today_says_which_sms_the_operators_refuse(private: Private) -> None:
    db = private.db
    db.done(db.call("a"), "sms", "failed", reason="sms-misconfigured", code="23185")
    page = (await private.html("/")).replace("\N{NO-BREAK SPACE}", " ")
    assert "Needs a person" in page
    assert "1 SMS of" in page
    assert "the text does not match its DLT template (code 23185)" in page
    assert "Code 23185: the text does not match its DLT template." in await private.html("/calls/a")


async def test_today_counts_what_is_not_sent_abroad(private: Private) -> None:
    assert 'id="abroad"' not in await private.html("/")
    call = private.db.call("a", caller="+881612345678")
    for kind in ("callback", "sms"):
        private.db.done(call, kind, "dropped", reason="foreign-number", number="+881612345678")
    private.db.done(call, "sms", "dropped", reason="takes-no-sms")
    assert '<dd id="abroad">2</dd>' in await private.html("/")


async def test_today_says_which_flow_tells_of_calls_too_early(private: Private) -> None:
    db = private.db
    for sid, reached_at in (("a", NOON + timedelta(minutes=2)), ("b", NOON)):
        taken = db.call(sid, reached_at=reached_at, reached_by="conversation")
        db.done(taken, "callback", "answered", placed_at=NOON + timedelta(minutes=1))
    page = (await private.html("/")).replace("\N{NO-BREAK SPACE}", " ")
    assert "Needs a person" in page
    assert "1 call of" in page
    assert (
        "your flow reports the call before it ends: put the Passthru applet after the Connect applet." in page
    )
    assert "<small>conversation</small>" in page
    story = await private.html("/calls/a")
    assert "A later report showed that it was not a missed call" in story
    assert "<code>conversation</code>" in story


def test_todays_callbacks() -> None:
    def counted(state: str, outcome: str | None, n: int, kind: str = "callback") -> ActionCountJson:
        return ActionCountJson(kind, state, outcome, n)

    actions = [
        counted("planned", None, 1),
        counted("held", None, 2),
        counted("placed", None, 4),
        counted("done", "answered", 8),
        counted("done", "busy", 16),
        counted("done", "unknown", 32),
        counted("done", "expired", 64),
        counted("done", "failed", 256),
        counted("done", "delivered", 128, "sms"),
    ]
    told = made(FiguresJson, actions=actions, agent_misses=200)
    assert callback_counts(told) == {"pending": 7, "answered": 8, "failed": 48 + 56, "not_made": 64}


async def test_today_tells_what_agents_missed(private: Private) -> None:
    call = private.db.call("abc")
    assert "missed by agents" not in await private.html("/")
    private.db.done(call, "callback", "failed", reason="agent-busy", placed_at=NOON)
    page = await private.html("/")
    assert '<dd id="callbacks_failed">0</dd><dd class="of">0 not made, 1 missed by agents</dd>' in page


def test_what_waits_by_kind_and_state() -> None:
    def counted(kind: str, state: str, reason: str, n: int) -> PendingJson:
        return PendingJson(kind, state, "", reason, n)

    pending = [counted("callback", "held", "closed", 2), counted("callback", "held", "paused", 1_000)]
    assert pending_by_state([*pending, counted("sms", "planned", "owed", 3)]) == [
        PendingCount("callback", "held", 1_002, "2: closed; 1,000: paused"),
        PendingCount("sms", "planned", 3, "3: owed"),
    ]


async def test_today_says_what_goes_wrong_since_when_and_what_to_do(private: Private) -> None:
    since = NOON - timedelta(minutes=6)
    url = "https://crm.example.in/missed-call"
    cause = f"The application takes no webhook: {url}: the connection was refused"
    private.troubles.record(
        TroubleKind.WEBHOOK_FAILING, url, cause, "start the application", NOON, since=since, tries=1_204
    )
    cause = "1,511 callbacks of shop grew too old before their turn"
    private.troubles.record(TroubleKind.EXPIRING, "shop", cause, "see the queue", NOON)
    told = [
        " ".join(re.sub(r"<[^>]+>", "", line).replace("\N{NO-BREAK SPACE}", " ").split())
        for line in re.findall(r"<li data-trouble.*?</li>", await private.html("/"), re.DOTALL)
    ]
    assert told == [
        f"The application takes no webhook: {url}: the connection was refused, since 11:54:00 (1,204 tries): "
        "start the application.",
        f"{cause}, since 12:00:00: see the queue.",
    ]


def _nothing_is_held(_lane: Lane) -> str | None:
    return None


def test_a_lane_without_a_budget_has_no_forecast() -> None:
    backlogs = {
        Kind.CALLBACK: Backlog([DueGroup(-1, 14, 120)]),
        Kind.WEBHOOK: Backlog([DueGroup(-1, None, 3)]),
    }
    voice, webhooks = lane_backlogs(backlogs, {Lane.VOICE: 60}, _nothing_is_held, NOON)
    assert (voice.gone_at, voice.rate, voice.expiring) == (NOON + timedelta(minutes=2), 60, 0)
    assert (webhooks.gone_at, webhooks.rate) == (None, None)


def test_a_lane_that_is_held_has_no_forecast() -> None:
    backlogs = {Kind.CALLBACK: Backlog([DueGroup(-1, 14, 120)])}
    (voice,) = lane_backlogs(backlogs, {Lane.VOICE: 60}, lambda _lane: "provider-unreachable", NOON)
    assert (voice.gone_at, voice.held, voice.due) == (None, "provider unreachable", 120)


async def test_the_queue_says_what_grows_too_old_before_its_turn(private: Private) -> None:
    call = private.db.call("abc")
    for _ in range(200):
        private.db.action(call, due_at=NOON - timedelta(seconds=5), expires_at=NOON + timedelta(seconds=30))
    page = await private.html("/queue")
    assert "done or expired by 12:01 at 60 per minute" in page
    assert "about 140 will expire before their turn" in page
    private.held[Lane.VOICE] = "provider-unreachable"
    page = await private.html("/queue")
    assert "held: provider unreachable" in page
    assert "will expire before" not in page


async def test_no_zero_is_red_and_made_stands_where_it_belongs(private: Private) -> None:
    call = private.db.call("abc")
    private.db.action(call)
    page = await private.html("/")
    assert '<div><dt>Callbacks not answered</dt><dd id="callbacks_failed">0</dd>' in page
    assert '<div class="wait"><dt>Callbacks pending</dt><dd id="callbacks_pending">1</dd>' in page
    assert "success, 0 made</dd>" in page
    private.db.done(call, "callback", "no-answer", reason="customer-no-answer", placed_at=NOON)
    page = await private.html("/")
    assert '<div class="bad"><dt>Callbacks not answered</dt><dd id="callbacks_failed">1</dd>' in page
    assert "success, 1 made</dd>" in page
