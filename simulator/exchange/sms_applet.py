"""The dynamic SMS applet: HEAD, then GET; the answer goes out as an SMS if it is just what it has to be.

A text that is dropped costs the caller an SMS and shows nowhere at Exotel, so here it is a fact, and said.
"""

from __future__ import annotations

import trio

from simulator.exchange.model.api_requests import SmsRequest
from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.formats import NumberFormat, format_number
from simulator.exchange.model.records import DroppedText, InboundRing
from simulator.exchange.sms import SmsService
from simulator.exchange.webhooks.body_formats import request_with_query
from simulator.exchange.webhooks.delivery import WebhookDelivery
from simulator.exchange.webhooks.request import PostResult

PLAIN = "text/plain"


class SmsApplet:
    def __init__(self, state: ExchangeState, webhooks: WebhookDelivery, sms: SmsService) -> None:
        self._state = state
        self._webhooks = webhooks
        self._sms = sms

    async def run(self, ring: InboundRing, url: str) -> None:
        await trio.sleep(self._state.settings.applet_wait_s)
        fields = {
            "CallSid": ring.call_sid,
            "From": format_number(ring.number, NumberFormat.ZERO),
            "To": format_number(ring.exophone, NumberFormat.ZERO),
            "digits": "",
        }
        probe = await self._webhooks.fetch_once(
            "sms-text", ring.call_sid, request_with_query(url, fields, "HEAD")
        )
        if why := _rejection("HEAD", probe):
            self._drop(ring, why)
            return
        answer = await self._webhooks.fetch_once("sms-text", ring.call_sid, request_with_query(url, fields))
        why = _rejection("GET", answer) or _head_get_difference(probe, answer)
        if why or answer is None:
            self._drop(ring, why)
            return
        order = SmsRequest(
            ring.number,
            ring.exophone,
            answer.body.decode("utf-8", "replace"),
            "transactional",
            "",
            "",
            "",
            None,
            as_json=False,
            fields={"CallSid": ring.call_sid},
        )
        self._sms.send(order, via="applet")

    def _drop(self, ring: InboundRing, why: str) -> None:
        world = self._state
        world.ground_truth.dropped_texts.append(DroppedText(ring.call_sid, ring.number, world.now(), why))
        world.print_line(f"no SMS for call {ring.call_sid}: {why}")


def _rejection(method: str, answer: PostResult | None) -> str:
    """Why an answer is no text to be sent, or "" where it may be one."""
    if answer is None:
        return f"{method} got no answer"
    # Of a HEAD any 2xx will do: it only asks what GET would be answered with.
    if not (answer.status == 200 or (method == "HEAD" and 200 <= answer.status < 300)):
        return f"{method} was answered with {answer.status}"
    told = answer.headers.get("content-type")
    if told != PLAIN:
        shown = "without a Content-Type" if told is None else f"as {told}"
        return f"{method} was answered {shown}; it has to be exactly {PLAIN}, without a charset"
    return "the text is empty" if method == "GET" and not answer.body else ""


def _head_get_difference(probe: PostResult | None, answer: PostResult | None) -> str:
    """What HEAD told otherwise than GET did. One that tells no length tells nothing of it."""
    if probe is None or answer is None:
        return ""
    told, given = probe.headers.get("content-length"), len(answer.body)
    if told is None or told == str(given):
        return ""
    return f"HEAD told of {told} bytes, GET brought {given}; both have to have the same headers"
