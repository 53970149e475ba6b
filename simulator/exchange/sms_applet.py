"""The dynamic SMS applet: HEAD, then GET; the answer goes out as an SMS if it is just what it has to be.

A text that is dropped costs the caller an SMS and shows nowhere at Exotel, so here it is a fact, and said.
"""

from __future__ import annotations

import trio

from simulator.exchange.model.api_requests import SmsOrder
from simulator.exchange.model.context import World
from simulator.exchange.model.formats import Spelling, spell
from simulator.exchange.model.records import DroppedText, InboundRing
from simulator.exchange.sms import Texting
from simulator.exchange.webhooks.body_formats import with_query
from simulator.exchange.webhooks.delivery import Postman
from simulator.exchange.webhooks.request import PostResult

PLAIN = "text/plain"


class SmsApplet:
    def __init__(self, world: World, postman: Postman, texting: Texting) -> None:
        self._world = world
        self._postman = postman
        self._texting = texting

    async def run(self, ring: InboundRing, url: str) -> None:
        await trio.sleep(self._world.settings.applet_wait_s)
        fields = {
            "CallSid": ring.call_sid,
            "From": spell(ring.number, Spelling.ZERO),
            "To": spell(ring.exophone, Spelling.ZERO),
            "digits": "",
        }
        probe = await self._postman.fetch("sms-text", ring.call_sid, with_query(url, fields, "HEAD"))
        if why := _unfit("HEAD", probe):
            self._drop(ring, why)
            return
        answer = await self._postman.fetch("sms-text", ring.call_sid, with_query(url, fields))
        why = _unfit("GET", answer) or _difference(probe, answer)
        if why or answer is None:
            self._drop(ring, why)
            return
        order = SmsOrder(
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
        self._texting.send(order, via="applet")

    def _drop(self, ring: InboundRing, why: str) -> None:
        world = self._world
        world.truth.dropped_texts.append(DroppedText(ring.call_sid, ring.number, world.now(), why))
        world.say(f"no SMS for call {ring.call_sid}: {why}")


def _unfit(method: str, answer: PostResult | None) -> str:
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


def _difference(probe: PostResult | None, answer: PostResult | None) -> str:
    """What HEAD told otherwise than GET did. One that tells no length tells nothing of it."""
    if probe is None or answer is None:
        return ""
    told, given = probe.headers.get("content-length"), len(answer.body)
    if told is None or told == str(given):
        return ""
    return f"HEAD told of {told} bytes, GET brought {given}; both have to have the same headers"
