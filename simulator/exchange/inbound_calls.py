"""Calls on their way in: a person rings an ExoPhone, and Exotel tells what became of it.

A missed call has two shapes. A Passthru applet sends a GET while the caller still hears it ring; the
webhook of the missed-call settings is a POST whose `+` is not encoded. An account may well have both.
A flow may have the dynamic SMS applet too, behind the Passthru or by itself. What else may become of a
call, and what is told of it at which point, stands in `courses`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import trio

from simulator.exchange.model.call_shapes import Shape
from simulator.exchange.model.context import World
from simulator.exchange.model.formats import Spelling, ist_text
from simulator.exchange.model.people import Person
from simulator.exchange.model.records import InboundRing
from simulator.exchange.sms import Texting
from simulator.exchange.sms_applet import SmsApplet
from simulator.exchange.webhooks import passthru
from simulator.exchange.webhooks.body_formats import form_post
from simulator.exchange.webhooks.delivery import Postman
from simulator.exchange.webhooks.inbound_scripts import Course, course_of
from simulator.exchange.webhooks.misdirected import Health, heartbeat
from simulator.exchange.webhooks.passthru import Told
from simulator.exchange.webhooks.request import OutboundWebhook

UNTOLD = (Shape.ABANDONED, Shape.ANSWERED)
NOWHERE = "no missed_call_url is set: the exchange has nowhere to report missed calls"


class NowhereToPost(Exception):
    """There is no URL to report missed calls to."""


class Inbound:
    def __init__(self, world: World, postman: Postman, texting: Texting) -> None:
        self._world = world
        self._postman = postman
        self._sms_applet = SmsApplet(world, postman, texting)

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
        """Record the ring and start telling of it. Raises NowhereToPost.

        A Sid that is known makes no second call: what was told of the first is told again.
        """
        world, url = self._world, self._world.settings.missed_call_url
        if url is None and shape not in UNTOLD:
            raise NowhereToPost(NOWHERE)
        if spelling is None:
            spelling = Spelling.E164 if shape is Shape.NATIVE else Spelling.ZERO
        course = course_of(shape, round(person.talks_s))
        known = None if call_sid is None else world.truth.call(call_sid)
        if isinstance(known, InboundRing):
            ring = replace(known, shape=shape.value, spelling=spelling.value)
        else:
            ring = self._rung(person, exophone, shape, spelling, course, call_sid)
        first_try = trio.Event() if first_try is None else first_try
        if url is None or shape in UNTOLD or ring.engaged:
            first_try.set()
            return ring
        told = Told(ring, url, world.settings.inbound_agent, spelling, with_date, ring.rung_at)
        if course.told:
            world.nursery.start_soon(self._follow, course, told, first_try)
        else:
            world.nursery.start_soon(self._tell, told, first_try)
        return ring

    def _rung(
        self,
        person: Person,
        exophone: str,
        shape: Shape,
        spelling: Spelling,
        course: Course,
        call_sid: str | None,
    ) -> InboundRing:
        """The call really begins, if the account has a channel for it."""
        world, at = self._world, self._world.now()
        ring = InboundRing(
            call_sid=call_sid or world.new_sid(),
            number=person.number,
            exophone=exophone,
            rung_at=at,
            shape=shape.value,
            spelling=spelling.value,
            engaged=not world.channels.have_room(1, world.settings.channels),
        )
        if not ring.engaged:
            ring.lasted_s = course.lasts_s
            ring.agent_leg = course.dial.ended if course.dial else None
            if course.talk_s is not None:
                ring.talked_from, ring.talked_until = (at + timedelta(seconds=s) for s in course.talk_s)
            if course.voicemail_s is not None:
                ring.voicemail_at = at + timedelta(seconds=course.voicemail_s)
            world.note_rang(ring)
        world.truth.add_inbound(ring)
        if ring.lasted_s:
            world.channels.take(1)
            world.lines.take(ring.number)
            world.nursery.start_soon(self._hold_the_line, ring, name=f"line of {ring.call_sid}")
        if course.agent_s is not None:
            world.nursery.start_soon(self._hold_the_agent, world.settings.inbound_agent, *course.agent_s)
        return ring

    def beat(self, health: Health) -> None:
        """Tell how the ExoPhones do, at the address for missed calls. Raises NowhereToPost."""
        settings = self._world.settings
        if settings.missed_call_url is None:
            raise NowhereToPost(NOWHERE)
        webhook = heartbeat(settings.missed_call_url, health, settings.exophones, self._world.now())
        self._world.nursery.start_soon(self._deliver_heartbeat, webhook)

    async def _deliver_heartbeat(self, webhook: OutboundWebhook) -> None:
        await self._postman.deliver("missed-call", "", webhook, tells_end=False)

    async def _hold_the_line(self, ring: InboundRing) -> None:
        """The caller is on the telephone: nobody else gets through to them meanwhile."""
        await trio.sleep(ring.lasted_s)
        self._world.lines.release(ring.number)
        self._world.channels.release(1)

    async def _hold_the_agent(self, agent: str, from_s: int, until_s: int) -> None:
        """The agent too, from when their telephone rings."""
        await trio.sleep(from_s)
        self._world.lines.take(agent)
        await trio.sleep(until_s - from_s)
        self._world.lines.release(agent)

    async def _follow(self, course: Course, told: Told, first_try: trio.Event) -> None:
        """Tell of a call as it goes on. What is posted again comes at once."""
        ring, world = told.ring, self._world
        for moment in course.told:
            at = ring.rung_at + timedelta(seconds=moment.at_s)
            await world.sleep_until(at + timedelta(seconds=moment.tells.late_s))
            webhook = moment.tells.request(replace(told, at=at, dial=moment.dial))
            # Retries go on by themselves, and so does the call.
            world.nursery.start_soon(self._deliver, ring, webhook, first_try, moment.tells.tells_end)

    async def _tell(self, told: Told, first_try: trio.Event) -> None:
        ring = told.ring
        if ring.shape in (Shape.PASSTHRU, Shape.BOTH):
            # Retries go on by themselves; the applets after this one follow the first answer.
            self._world.nursery.start_soon(self._deliver, ring, passthru.attempt(told), first_try)
            await first_try.wait()
            ring.heard_ringing_s = (self._world.now() - ring.rung_at).total_seconds()
        if self._world.settings.sms_text_url is not None:
            # The applet belongs to the flow; the webhook of the missed-call settings follows the call's end.
            await self._sms_applet.run(ring, self._world.settings.sms_text_url)
        if ring.shape in (Shape.NATIVE, Shape.BOTH):
            await self._deliver(ring, native_request(told), first_try)

    async def _deliver(
        self, ring: InboundRing, webhook: OutboundWebhook, first_try: trio.Event, tells_end: bool = True
    ) -> None:
        await self._postman.deliver("missed-call", ring.call_sid, webhook, first_try, tells_end=tells_end)


def native_request(told: Told) -> OutboundWebhook:
    """The missed-call webhook, with the `+` of its numbers raw, as in the vendor's own sample."""
    fields = {
        "CallSid": told.ring.call_sid,
        "From": told.caller,
        "To": told.exophone,
        "Status": "missed-call",
    }
    if told.with_date:
        fields["DateCreated"] = ist_text(told.ring.rung_at)
    return form_post(told.url, fields, safe="+")
