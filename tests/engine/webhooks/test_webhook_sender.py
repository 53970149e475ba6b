"""Outgoing webhooks: the content, the signature, and the meaning of the application's answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import trio
from standardwebhooks import Webhook, WebhookVerificationError
from trio.testing import MockClock

from missedd.base.clock import SystemClock
from missedd.config.secrets import Secrets
from missedd.core.api_types.verifications import VerificationJson
from missedd.core.policy import Policy, VerifyPolicy, WebhookFormat, WebhookPolicy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import Withheld
from missedd.engine.webhooks.webhook_sender import (
    TIMEOUT_S,
    WebhookSender,
    encode_form,
    signature,
    verification_event,
)
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.claims import claim
from missedd.store.actions.operator_changes import resend_webhook
from missedd.store.people.verifications import start_verification
from missedd.web.api.openapi import build_document
from tests.core.campaigns import CALLER, EXOPHONE, NOON, campaign, minutes, policy
from tests.core.objects import made
from tests.engine.scene import EngineScene, scene
from tests.web.api.documented import conforms

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g="
KEY = Secrets("k", "t", "w", SECRET).signing_key
HOOKS = policy(campaign(webhook=WebhookPolicy("https://crm.example.in/missed-call?tenant=7")))

type Application = Callable[[httpx.Request], httpx.Response]


@asynccontextmanager
async def delivering(
    stage: EngineScene, application: Application, of: Policy = HOOKS
) -> AsyncIterator[WebhookSender]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(application), timeout=TIMEOUT_S) as http:
        # The machine's own clock, as the verifier of a signature compares its timestamp with that.
        yield WebhookSender(http, KEY, stage.store, of, SystemClock())


async def sent(stage: EngineScene, deliveries: WebhookSender, action_id: int = 1) -> Answer:
    unit = partial(claim, ids=[action_id], policy=HOOKS, now=stage.clock.now(), limit=1)
    ((claimed,),) = [(await stage.store.write(unit)).claimed]
    answer = await deliveries.send(claimed, lambda: None)
    assert not isinstance(answer, Withheld)
    return answer


def is_described(request: httpx.Request) -> bool:
    """Whether the OpenAPI document describes this webhook: its type, all of its fields, its headers."""
    body = json.loads(request.content)
    told = build_document()["webhooks"][body["type"]]["post"]
    schema = told["requestBody"]["content"][request.headers["content-type"]]["schema"]
    return conforms(body, schema) and all(each["name"] in request.headers for each in told["parameters"])


async def test_the_application_can_verify_what_it_gets(autojump_clock: MockClock, tmp_path: Path) -> None:
    requests: list[httpx.Request] = []

    def application(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(202)

    async with scene(tmp_path, HOOKS) as stage, delivering(stage, application) as deliveries:
        await stage.call("abc", NOON)
        assert await sent(stage, deliveries) == Accepted(code="202")
    (request,) = requests
    assert (request.method, str(request.url)) == ("POST", "https://crm.example.in/missed-call?tenant=7")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "msg_1"
    body = Webhook(SECRET).verify(request.content, dict(request.headers))
    assert body == {
        "type": "missed_call.accepted",
        "timestamp": "2026-11-23T06:30:00.000Z",
        "data": {
            "call_sid": "abc",
            "from": CALLER,
            "to": EXOPHONE,
            "campaign": "admissions",
            "called_at": "2026-11-23T06:30:00.000Z",
            "received_at": "2026-11-23T06:30:00.000Z",
            "verdict": "accepted",
            "reason": "first-call",
        },
    }
    assert is_described(request)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.content + b" ", dict(request.headers))


async def test_an_application_written_for_exotels_webhook_gets_its_parameters(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    requests: list[httpx.Request] = []

    def application(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    of = policy(campaign(webhook=WebhookPolicy("https://crm.example.in/missed-call", WebhookFormat.FORM)))
    async with scene(tmp_path, of) as stage, delivering(stage, application, of) as deliveries:
        await stage.call("abc", NOON)
        await sent(stage, deliveries)
    (request,) = requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.content.decode())) == {
        "CallSid": "abc",
        "From": CALLER,
        "To": EXOPHONE,
        "Status": "missed-call",
        "DateCreated": "2026-11-23 12:00:00",
        "Campaign": "admissions",
    }
    signed = signature(KEY or b"", "msg_1", int(request.headers["webhook-timestamp"]), request.content)
    assert request.headers["webhook-signature"] == signed


def test_a_verification_as_a_form() -> None:
    proved = made(
        VerificationJson,
        id="v1",
        number=CALLER,
        campaign="signup",
        call_sid="abc",
        verified_at="2026-11-23T06:30:00.000Z",
        status="verified",
    )
    assert dict(parse_qsl(encode_form(verification_event(proved)).decode())) == {
        "CallSid": "abc",
        "From": CALLER,
        "Status": "verified",
        "DateCreated": "2026-11-23 12:00:00",
        "Campaign": "signup",
        "VerificationId": "v1",
    }


async def test_a_message_sent_again_by_an_operator_keeps_its_id(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    ids: list[str] = []

    def application(request: httpx.Request) -> httpx.Response:
        ids.append(request.headers["webhook-id"])
        return httpx.Response(204)

    async with scene(tmp_path, HOOKS) as stage, delivering(stage, application) as deliveries:
        await stage.call()
        await sent(stage, deliveries)
        parked = "UPDATE actions SET state = 'done', outcome = 'failed', wake_at = NULL WHERE id = ?"
        for action_id in (1, 2):
            await stage.store.write(lambda db, action_id=action_id: db.execute(parked, (action_id,)))  # type: ignore[misc]
            wake = await stage.store.write(
                partial(resend_webhook, action_id=action_id, now=stage.clock.now())
            )
            assert wake is not None
            await sent(stage, deliveries, wake.action_id)
    assert ids == ["msg_1"] * 3


def answering(status: int, **headers: str) -> Application:
    return lambda _request: httpx.Response(
        status, headers={name.replace("_", "-"): each for name, each in headers.items()}
    )


def failing(failure: type[httpx.HTTPError]) -> Application:
    def application(request: httpx.Request) -> httpx.Response:
        raise failure("it failed")

    return application


REFUSED = Reason.ENDPOINT_REFUSED
FAILED = Reason.ENDPOINT_FAILED
SHOWN = "https://crm.example.in/missed-call"


def refused(code: str, *, retryable: bool = True, retry_after_s: float | None = None) -> Refused:
    return Refused(retryable, code, REFUSED, f"{SHOWN}: it answered {code}", retry_after_s)


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (answering(200), Accepted(code="200")),
        (answering(299), Accepted(code="299")),
        (answering(410), refused("410", retryable=False)),
        (answering(404), refused("404")),
        (answering(302, location="https://elsewhere.example"), refused("302")),
        (answering(500), refused("500")),
        (answering(503, retry_after="120"), refused("503", retry_after_s=120.0)),
        (answering(503, retry_after="-1"), refused("503")),
        (answering(503, retry_after="soon"), refused("503")),
        (answering(503, retry_after="9" * 30), refused("503")),
        (answering(503, retry_after="9" * 9), refused("503", retry_after_s=86_400.0)),
        (answering(503, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"), refused("503", retry_after_s=0.0)),
        (
            failing(httpx.ConnectTimeout),
            Refused(True, "connect-timeout", FAILED, f"{SHOWN}: no connection was made in time"),
        ),
        (failing(httpx.ReadTimeout), Unknown("timeout", FAILED, f"{SHOWN}: no answer came in time")),
        (
            failing(httpx.RemoteProtocolError),
            Unknown("connection-lost", FAILED, f"{SHOWN}: the connection was closed before an answer came"),
        ),
        (
            failing(httpx.UnsupportedProtocol),
            Unknown("unsupported-protocol", FAILED, f"{SHOWN}: the request failed (UnsupportedProtocol)"),
        ),
    ],
)
async def test_what_the_applications_answer_means(
    autojump_clock: MockClock, tmp_path: Path, application: Any, expected: Answer
) -> None:
    async with scene(tmp_path, HOOKS) as stage, delivering(stage, application) as deliveries:
        await stage.call()
        assert await sent(stage, deliveries) == expected


async def test_an_application_that_never_answers_is_left_after_a_while(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await trio.sleep_forever()
            raise AssertionError

    async with scene(tmp_path, HOOKS) as stage, httpx.AsyncClient(transport=Silent()) as http:
        await stage.call()
        deliveries = WebhookSender(http, KEY, stage.store, HOOKS, SystemClock())
        began_s = trio.current_time()
        assert await sent(stage, deliveries) == Unknown("timeout", FAILED, f"{SHOWN}: no answer came in time")
        assert trio.current_time() - began_s == pytest.approx(TIMEOUT_S)


async def test_an_endless_body_does_not_hold_the_line(autojump_clock: MockClock, tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1024
            await trio.sleep(1)

    async with (
        scene(tmp_path, HOOKS) as stage,
        delivering(stage, lambda _request: httpx.Response(200, content=endless())) as deliveries,
    ):
        await stage.call()
        began_s = trio.current_time()
        assert await sent(stage, deliveries) == Accepted(code="200")
        assert trio.current_time() == began_s


async def test_a_url_that_cannot_be_one_is_refused_and_brings_nobody_down(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    odd = policy(campaign(webhook=WebhookPolicy("https://crm.example.in/\x7f")))
    async with scene(tmp_path, HOOKS) as stage, delivering(stage, answering(200), odd) as deliveries:
        await stage.call()
        answer = await sent(stage, deliveries)
        assert isinstance(answer, Refused)
        assert (answer.retryable, answer.code, answer.reason) == (False, "invalid-url", FAILED)


async def test_a_campaign_without_its_webhook_sends_none(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with (
        scene(tmp_path, HOOKS) as stage,
        delivering(stage, answering(200), policy(campaign())) as deliveries,
    ):
        await stage.call()
        assert await sent(stage, deliveries) == Refused(False, "unconfigured", Reason.NO_LONGER_CONFIGURED)


async def test_names_beyond_ascii_reach_the_application_whole(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    bodies: list[bytes] = []

    def application(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        Webhook(SECRET).verify(request.content, dict(request.headers))
        return httpx.Response(200)

    named = policy(campaign(name="प्रवेश", webhook=WebhookPolicy("https://crm.example.in/")))
    async with scene(tmp_path, named) as stage, delivering(stage, application, named) as deliveries:
        await stage.call()
        unit = partial(claim, ids=[1], policy=named, now=stage.clock.now(), limit=1)
        claims = await stage.store.write(unit)
        assert await deliveries.send(claims.claimed[0], lambda: None) == Accepted(code="200")
    assert json.loads(bodies[0])["data"]["campaign"] == "प्रवेश"


async def test_the_application_is_told_of_a_number_that_was_proved(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    requests: list[httpx.Request] = []

    def application(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    signup = campaign(verify=VerifyPolicy(minutes(5), 5), webhook=WebhookPolicy("https://app.example.in/x"))
    async with (
        scene(tmp_path, policy(signup)) as stage,
        delivering(stage, application, policy(signup)) as deliveries,
    ):
        await stage.store.write(
            partial(
                start_verification,
                verification_id="v1",
                number=CALLER,
                campaign=signup,
                now=stage.clock.now(),
            )
        )
        await stage.call("abc", NOON)
        await sent(stage, deliveries, 2)
        await sent(stage, deliveries, 3)
    bodies = [Webhook(SECRET).verify(each.content, dict(each.headers)) for each in requests]
    assert bodies[0] == {
        "type": "verification.verified",
        "timestamp": "2026-11-23T06:30:00.000Z",
        "data": {
            "id": "v1",
            "number": CALLER,
            "campaign": "admissions",
            "call_sid": "abc",
            "verified_at": "2026-11-23T06:30:00.000Z",
            "status": "verified",
        },
    }
    assert bodies[1]["type"] == "missed_call.accepted"
    assert {each["type"] for each in bodies} == set(build_document()["webhooks"])
    assert all(map(is_described, requests))
    assert [each.headers["webhook-id"] for each in requests] == ["msg_2", "msg_3"]


async def test_a_host_that_can_have_no_address_brings_nobody_down(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    odd = policy(campaign(webhook=WebhookPolicy("http://crm..example.in/")))
    async with scene(tmp_path, HOOKS) as stage, httpx.AsyncClient(trust_env=False) as http:
        await stage.call()
        answer = await sent(stage, WebhookSender(http, KEY, stage.store, odd, SystemClock()))
        assert isinstance(answer, Refused)
        assert (answer.retryable, answer.code, answer.reason) == (True, "name-not-resolved", FAILED)


async def test_what_must_not_go_out_after_its_body_was_loaded_does_not(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    requests: list[httpx.Request] = []

    def application(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    async with scene(tmp_path, HOOKS) as stage, delivering(stage, application) as deliveries:
        await stage.call()
        unit = partial(claim, ids=[1], policy=HOOKS, now=stage.clock.now(), limit=1)
        (claimed,) = (await stage.store.write(unit)).claimed
        assert await deliveries.send(claimed, lambda: "not-leading") == Withheld("not-leading")
        assert requests == []
