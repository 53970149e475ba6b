"""Inbound calls: a person calls an ExoPhone, and Exotel reports the call by webhooks.

A missed call has two shapes. A Passthru applet sends a GET while the caller still hears it ring; the
webhook of the missed-call settings is a POST whose `+` is not encoded. An account may well have both.
A flow may have the dynamic SMS applet too, after the Passthru or alone. `webhooks.inbound_scripts` has the
other outcomes of a call, with the webhooks of each.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import trio

from simulator.exchange.model.call_shapes import CallShape
from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.formats import NumberFormat, format_ist
from simulator.exchange.model.people import Person
from simulator.exchange.model.records import InboundRing
from simulator.exchange.sms import SmsService
from simulator.exchange.sms_applet import SmsApplet
from simulator.exchange.webhooks import passthru
from simulator.exchange.webhooks.body_formats import form_post
from simulator.exchange.webhooks.delivery import WebhookDelivery
from simulator.exchange.webhooks.inbound_scripts import CallScript, script_of
from simulator.exchange.webhooks.misdirected import HeartbeatStatus, heartbeat
from simulator.exchange.webhooks.passthru import WebhookContext
from simulator.exchange.webhooks.request import OutboundWebhook

SHAPES_WITHOUT_WEBHOOK = (CallShape.ABANDONED, CallShape.ANSWERED)
NO_URL_TEXT = "no missed_call_url is set: the exchange has nowhere to report missed calls"


class NoMissedCallUrl(Exception):
    """There is no URL to report missed calls to."""


class InboundCalls:
    def __init__(self, state: ExchangeState, webhooks: WebhookDelivery, sms: SmsService) -> None:
        self._state = state
        self._webhooks = webhooks
        self._sms_applet = SmsApplet(state, webhooks, sms)

    def ring(
        self,
        person: Person,
        exophone: str,
        shape: CallShape,
        spelling: NumberFormat | None,
        with_date: bool,
        call_sid: str | None,
        first_try: trio.Event | None,
    ) -> InboundRing:
        """Record the call and start its webhooks. Raises NoMissedCallUrl.

        A known `call_sid` makes no second call: the webhooks of the first are sent again.
        """
        state, url = self._state, self._state.settings.missed_call_url
        if url is None and shape not in SHAPES_WITHOUT_WEBHOOK:
            raise NoMissedCallUrl(NO_URL_TEXT)
        if spelling is None:
            spelling = NumberFormat.E164 if shape is CallShape.NATIVE else NumberFormat.ZERO
        script = script_of(shape, round(person.talks_s))
        known = None if call_sid is None else state.ground_truth.call(call_sid)
        if isinstance(known, InboundRing):
            ring = replace(known, shape=shape.value, spelling=spelling.value)
        else:
            ring = self._begin_call(person, exophone, shape, spelling, script, call_sid)
        first_try = trio.Event() if first_try is None else first_try
        if url is None or shape in SHAPES_WITHOUT_WEBHOOK or ring.engaged:
            first_try.set()
            return ring
        context = WebhookContext(ring, url, state.settings.inbound_agent, spelling, with_date, ring.rung_at)
        if script.requests:
            state.nursery.start_soon(self._post_script, script, context, first_try)
        else:
            state.nursery.start_soon(self._post_missed_call, context, first_try)
        return ring

    def _begin_call(
        self,
        person: Person,
        exophone: str,
        shape: CallShape,
        spelling: NumberFormat,
        script: CallScript,
        call_sid: str | None,
    ) -> InboundRing:
        """Begin the call if the account has a free channel; else the caller hears the engaged tone."""
        state, at = self._state, self._state.now()
        ring = InboundRing(
            call_sid=call_sid or state.new_sid(),
            number=person.number,
            exophone=exophone,
            rung_at=at,
            shape=shape.value,
            spelling=spelling.value,
            engaged=not state.channels.has_free(1, state.settings.channels),
        )
        if not ring.engaged:
            ring.lasted_s = script.duration_s
            ring.agent_leg = script.agent_leg.end_status if script.agent_leg else None
            if script.talk_s is not None:
                ring.talked_from, ring.talked_until = (at + timedelta(seconds=s) for s in script.talk_s)
            if script.voicemail_s is not None:
                ring.voicemail_at = at + timedelta(seconds=script.voicemail_s)
            state.record_inbound_call(ring)
        state.ground_truth.add_inbound(ring)
        if ring.lasted_s:
            state.channels.take(1)
            state.lines.take(ring.number)
            state.nursery.start_soon(self._occupy_caller_line, ring, name=f"line of {ring.call_sid}")
        if script.agent_s is not None:
            state.nursery.start_soon(self._occupy_agent_line, state.settings.inbound_agent, *script.agent_s)
        return ring

    def send_heartbeat(self, health: HeartbeatStatus) -> None:
        """Send a heartbeat of the ExoPhones to the URL for missed calls. Raises NoMissedCallUrl."""
        settings = self._state.settings
        if settings.missed_call_url is None:
            raise NoMissedCallUrl(NO_URL_TEXT)
        webhook = heartbeat(settings.missed_call_url, health, settings.exophones, self._state.now())
        self._state.nursery.start_soon(self._deliver_heartbeat, webhook)

    async def _deliver_heartbeat(self, webhook: OutboundWebhook) -> None:
        await self._webhooks.deliver("missed-call", "", webhook, tells_end=False)

    async def _occupy_caller_line(self, ring: InboundRing) -> None:
        """Keep the caller's line and one channel busy until the call ends."""
        await trio.sleep(ring.lasted_s)
        self._state.lines.release(ring.number)
        self._state.channels.release(1)

    async def _occupy_agent_line(self, agent: str, from_s: int, until_s: int) -> None:
        """Keep the agent's line busy from the first ring to the end of the call."""
        await trio.sleep(from_s)
        self._state.lines.take(agent)
        await trio.sleep(until_s - from_s)
        self._state.lines.release(agent)

    async def _post_script(self, script: CallScript, context: WebhookContext, first_try: trio.Event) -> None:
        """Tell of a call as it goes on. What is posted again comes at once."""
        ring, state = context.ring, self._state
        for moment in script.requests:
            at = ring.rung_at + timedelta(seconds=moment.at_s)
            await state.sleep_until(at + timedelta(seconds=moment.event.delivery_delay_s))
            webhook = moment.event.request(replace(context, at=at, agent_leg=moment.agent_leg))
            # Retries go on by themselves, and so does the call.
            state.nursery.start_soon(self._deliver, ring, webhook, first_try, moment.event.tells_end)

    async def _post_missed_call(self, context: WebhookContext, first_try: trio.Event) -> None:
        ring = context.ring
        if ring.shape in (CallShape.PASSTHRU, CallShape.BOTH):
            # Retries go on by themselves; the applets after this one follow the first answer.
            self._state.nursery.start_soon(self._deliver, ring, passthru.call_attempt(context), first_try)
            await first_try.wait()
            ring.heard_ringing_s = (self._state.now() - ring.rung_at).total_seconds()
        if self._state.settings.sms_text_url is not None:
            # The applet belongs to the flow; the webhook of the missed-call settings follows the call's end.
            await self._sms_applet.run(ring, self._state.settings.sms_text_url)
        if ring.shape in (CallShape.NATIVE, CallShape.BOTH):
            await self._deliver(ring, missed_call_webhook(context), first_try)

    async def _deliver(
        self, ring: InboundRing, webhook: OutboundWebhook, first_try: trio.Event, tells_end: bool = True
    ) -> None:
        await self._webhooks.deliver("missed-call", ring.call_sid, webhook, first_try, tells_end=tells_end)


def missed_call_webhook(context: WebhookContext) -> OutboundWebhook:
    """The missed-call webhook, with the `+` of its numbers raw, as in the vendor's own sample."""
    fields = {
        "CallSid": context.ring.call_sid,
        "From": context.caller,
        "To": context.exophone,
        "Status": "missed-call",
    }
    if context.with_date:
        fields["DateCreated"] = format_ist(context.ring.rung_at)
    return form_post(context.url, fields, safe="+")
