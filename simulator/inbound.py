"""Missed calls on their way in: a person rings an ExoPhone, and Exotel tells whose it is.

Two shapes. A Passthru applet sends a GET while the caller still hears it ring; the webhook of the
missed-call settings is a POST whose `+` is not encoded. An account may well have both. A flow may
have the dynamic SMS applet too, behind the Passthru or by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import trio

from simulator.facts import InboundRing
from simulator.orders import SmsOrder
from simulator.people import Person
from simulator.posting import OutboundWebhook
from simulator.postman import Postman
from simulator.rendering import form_post, with_query
from simulator.spelling import EPOCH_TEXT, Spelling, ist_text, ist_words, spell
from simulator.texting import Texting
from simulator.words import Word
from simulator.world import World


class Shape(Word):
    PASSTHRU = "passthru"
    NATIVE = "native"
    BOTH = "both"
    ABANDONED = "abandoned"
    """The caller cut before any applet ran: Exotel posts nothing."""
    ANSWERED = "answered"
    """An agent took the call: no missed call, and nothing is posted either."""
    TALKED = "talked"
    """An agent took the call, and a Passthru behind the conversation tells of it."""


UNTOLD = (Shape.ABANDONED, Shape.ANSWERED)


class NowhereToPost(Exception):
    """There is no URL to report missed calls to."""


class Inbound:
    def __init__(self, world: World, postman: Postman, texting: Texting) -> None:
        self._world = world
        self._postman = postman
        self._texting = texting

    def ring(
        self,
        person: Person,
        exophone: str,
        shape: Shape,
        spelling: Spelling | None,
        with_date: bool,
        call_sid: str | None,
        first_try: trio.Event | None,
    ) -> InboundRing:
        """Record the ring and start telling of it. Raises NowhereToPost."""
        world = self._world
        url = world.settings.missed_call_url
        if url is None and shape not in UNTOLD:
            raise NowhereToPost("no missed_call_url is set: the exchange has nowhere to report missed calls")
        if spelling is None:
            spelling = Spelling.E164 if shape is Shape.NATIVE else Spelling.ZERO
        ring = InboundRing(
            call_sid=call_sid or world.new_sid(),
            number=person.number,
            exophone=exophone,
            rung_at=world.now(),
            shape=shape.value,
            spelling=spelling.value,
            talked_s=round(person.talks_s) if shape in (Shape.ANSWERED, Shape.TALKED) else 0,
            # What is posted again comes from no telephone.
            engaged=call_sid is None and not world.channels.have_room(1, world.settings.channels),
        )
        world.truth.add_inbound(ring)
        if ring.engaged:
            if first_try is not None:
                first_try.set()
            return ring
        world.note_rang(ring)
        if ring.talked_s and world.truth.call(ring.call_sid) is ring:
            world.lines.take(ring.number)
            world.channels.take(1)
            world.nursery.start_soon(self._talk, ring, name=f"talk {ring.call_sid}")
        if url is not None and shape not in UNTOLD:
            world.nursery.start_soon(self._tell, ring, url, spelling, with_date, first_try)
        elif first_try is not None:
            first_try.set()
        return ring

    async def _talk(self, ring: InboundRing) -> None:
        """Somebody has the caller on the line: nobody else gets through to them meanwhile."""
        await trio.sleep(ring.talked_s)
        self._world.lines.release(ring.number)
        self._world.channels.release(1)

    async def _tell(
        self, ring: InboundRing, url: str, spelling: Spelling, with_date: bool, first_try: trio.Event | None
    ) -> None:
        first_try = trio.Event() if first_try is None else first_try
        if ring.shape == Shape.TALKED:
            await trio.sleep(ring.talked_s)
            await self._deliver(ring, conversation_request(ring, url, spelling, with_date), first_try)
            return
        if ring.shape in (Shape.PASSTHRU, Shape.BOTH):
            webhook = passthru_request(ring, url, spelling, with_date)
            # Retries go on by themselves; the applets after this one follow the first answer.
            self._world.nursery.start_soon(self._deliver, ring, webhook, first_try)
            await first_try.wait()
            ring.heard_ringing_s = (self._world.now() - ring.rung_at).total_seconds()
        if self._world.settings.sms_text_url is not None:
            # The applet belongs to the flow; the webhook of the missed-call settings follows the call's end.
            await self._run_sms_applet(ring, self._world.settings.sms_text_url)
        if ring.shape in (Shape.NATIVE, Shape.BOTH):
            await self._deliver(ring, native_request(ring, url, spelling, with_date), first_try)

    async def _deliver(self, ring: InboundRing, webhook: OutboundWebhook, first_try: trio.Event) -> None:
        await self._postman.deliver("missed-call", ring.call_sid, webhook, first_try)

    async def _run_sms_applet(self, ring: InboundRing, url: str) -> None:
        """HEAD, then GET; a text goes out only if it is exactly `text/plain` and not empty."""
        await trio.sleep(self._world.settings.applet_wait_s)
        fields = {
            "CallSid": ring.call_sid,
            "From": spell(ring.number, Spelling.ZERO),
            "To": spell(ring.exophone, Spelling.ZERO),
            "digits": "",
        }
        probe = await self._postman.fetch("sms-text", ring.call_sid, with_query(url, fields, "HEAD"))
        if probe is None or not 200 <= probe.status < 300 or not _is_plain_text(probe.headers):
            return
        answer = await self._postman.fetch("sms-text", ring.call_sid, with_query(url, fields))
        if answer is None or answer.status != 200 or not _is_plain_text(answer.headers) or not answer.body:
            return
        body = answer.body.decode("utf-8", "replace")
        order = SmsOrder(
            ring.number,
            ring.exophone,
            body,
            "transactional",
            "",
            "",
            "",
            None,
            as_json=False,
            fields={"CallSid": ring.call_sid},
        )
        self._texting.send(order, via="applet")


def passthru_request(ring: InboundRing, url: str, spelling: Spelling, with_date: bool) -> OutboundWebhook:
    """Passthru's GET for a call nobody took: not answered, no Connect applet run."""
    return with_query(url, _passthru_fields(ring, spelling, with_date))


def _passthru_fields(ring: InboundRing, spelling: Spelling, with_date: bool) -> dict[str, str]:
    # Captured requests have `CallTo` without the 0 that `To` begins with.
    call_to = Spelling.BARE if spelling is Spelling.ZERO else spelling
    at = ring.rung_at
    fields = {
        "CallSid": ring.call_sid,
        "CallFrom": spell(ring.number, spelling),
        "CallTo": spell(ring.exophone, call_to),
        "CallStatus": "ringing",
        "Direction": "incoming",
        "ForwardedFrom": "null",
        "Created": ist_words(at),
        "DialCallDuration": "0",
        "StartTime": ist_text(at),
        "EndTime": EPOCH_TEXT,
        "CallType": "call-attempt",
        "DialWhomNumber": "",
        "ProcessStatus": "null",
        "flow_id": "228040",
        "tenant_id": "67291",
        "From": spell(ring.number, spelling),
        "To": spell(ring.exophone, spelling),
        "CurrentTime": ist_text(at),
    }
    if not with_date:
        for name in ("Created", "StartTime", "CurrentTime"):
            del fields[name]
    return fields


def conversation_request(ring: InboundRing, url: str, spelling: Spelling, with_date: bool) -> OutboundWebhook:
    """Passthru's GET behind a Connect applet whose agent talked to the caller."""
    told = {
        "CallStatus": "completed",
        "CallType": "completed",
        "DialCallStatus": "completed",
        "DialCallDuration": str(ring.talked_s),
    }
    return with_query(url, _passthru_fields(ring, spelling, with_date) | told)


def native_request(ring: InboundRing, url: str, spelling: Spelling, with_date: bool) -> OutboundWebhook:
    """The missed-call webhook, with the `+` of its numbers raw, as in the vendor's own sample."""
    fields = {
        "CallSid": ring.call_sid,
        "From": spell(ring.number, spelling),
        "To": spell(ring.exophone, spelling),
        "Status": "missed-call",
    }
    if with_date:
        fields["DateCreated"] = ist_text(ring.rung_at)
    return form_post(url, fields, safe="+")


def _is_plain_text(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type") == "text/plain"
