"""The voice side: rings telephones, joins them, and knows how each call ended.

A call is `in-progress` from the moment it is accepted. Leg 1 rings first and is dialled again by
the exchange itself after `no-answer` and `failed` (`MaxRetries`, 3 unless the request says
otherwise); then leg 2 rings, or the flow begins. How a call ends follows from its legs:

    leg 1 not taken                     its own end           leg 2 never tried
    leg 1 hangs up while leg 2 rings    failed                leg 2 canceled; taken in time, they talk
    leg 2 not taken                     leg 2's end; canceled makes it failed
    both talked, or the flow was heard  completed

A telephone that rings or is talked on is engaged for every other call: that one ends `busy` within
two seconds, rings nothing, and uses up none of the things that the person does when rung.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from simulator.exchange.model.api_requests import ConnectRequest
from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.people import RingResponse
from simulator.exchange.model.records import Connect, Ring
from simulator.exchange.webhooks.delivery import WebhookDelivery
from simulator.exchange.webhooks.request import OutboundWebhook
from simulator.exchange.webhooks.status_reports import call_report, flow_passthru

BUSY_AFTER_S = 2.0
UNREACHABLE_AFTER_S = 3.0
CANCELED_AFTER_S = 5.0
HANGS_UP_AFTER_S = 1.0
_UNANSWERED = {
    RingResponse.NO_ANSWER: (float("inf"), "no-answer"),
    RingResponse.BUSY: (BUSY_AFTER_S, "busy"),
    RingResponse.UNREACHABLE: (UNREACHABLE_AFTER_S, "failed"),
    RingResponse.CANCELED: (CANCELED_AFTER_S, "canceled"),
}
"""How long a telephone that is not taken occupies the line, and how that ends."""
_NETWORK_RESPONSES = (RingResponse.BUSY, RingResponse.UNREACHABLE)
"""Said by the network within the time to ring, however short that is."""


class VoiceService:
    def __init__(
        self, state: ExchangeState, webhooks: WebhookDelivery, on_unanswered: Callable[[Ring], None]
    ) -> None:
        """`on_unanswered` is told of each telephone that rang and was not taken."""
        self._state = state
        self._webhooks = webhooks
        self._on_unanswered = on_unanswered

    def connect(self, request: ConnectRequest) -> Connect:
        """Create a call and start ringing. Every request makes one, however alike it looks."""
        world = self._state
        record = Connect(
            sid=world.new_sid(),
            from_number=request.from_number,
            to_number=request.to_number,
            caller_id=request.caller_id,
            created_at=world.now(),
            fields=request.fields,
            flow_url=request.flow_url,
        )
        world.ground_truth.add_connect(record)
        world.channels.take(record.channels)
        world.nursery.start_soon(self._run, record, request, name=f"call {record.sid}")
        return record

    async def _run(self, call: Connect, request: ConnectRequest) -> None:
        world = self._state
        first, did = await self._dial_first(call, request)
        first_at = first.answered_at
        if first_at is None:
            call.leg1 = first.ended
            self._finish(call, request, _status_of(first.ended))
            return
        call.leg1, call.answered_at = "in-progress", first_at
        hangs_up = did is RingResponse.HANGUP
        self._report(call, request, "answered")
        if call.to_number is None:
            talks_s = HANGS_UP_AFTER_S if hangs_up else self._talks_s(call.from_number)
            await self._talk(call, request, talks_s)
            self._end_ring(first, "completed")
            self._finish(call, request, "completed")
            self._post_flow_passthru(call)
            return
        cut_s = HANGS_UP_AFTER_S if hangs_up else None
        second, did = await self._ring(call, request, 2, call.to_number, 1, cut_s)
        call.leg2 = second.ended or "in-progress"
        if second.answered:
            self._report(call, request, "answered")
            talks_s = min(self._talks_s(call.from_number), self._talks_s(call.to_number))
            if did is RingResponse.HANGUP:
                talks_s = HANGS_UP_AFTER_S
            if hangs_up:
                talks_s = min(talks_s, HANGS_UP_AFTER_S - (world.now() - first_at).total_seconds())
            await self._talk(call, request, talks_s)
            call.leg2, call.leg_s[1] = "completed", call.conversation_s
            self._end_ring(second, "completed")
        self._end_ring(first, "completed")
        self._finish(call, request, _status_of(call.leg2))

    async def _dial_first(self, call: Connect, request: ConnectRequest) -> tuple[Ring, RingResponse]:
        ring, did = await self._ring(call, request, 1, call.from_number, 1)
        for attempt in range(2, request.max_retries + 2):
            if ring.ended not in ("no-answer", "failed"):
                break
            await trio.sleep(self._state.settings.redial_wait_s)
            ring, did = await self._ring(call, request, 1, call.from_number, attempt)
        return ring, did

    async def _ring(
        self,
        call: Connect,
        request: ConnectRequest,
        leg: int,
        number: str,
        attempt: int,
        cut_s: float | None = None,
    ) -> tuple[Ring, RingResponse]:
        """Ring one telephone until it is taken (`ended` stays None) or not, or is cut after `cut_s`."""
        world = self._state
        person, timeout_s = world.people.find(number), request.ring_timeout_s
        engaged = world.lines.is_busy(person)
        does = (
            RingResponse.BUSY if engaged else person.response_to_ring(world.ground_truth.ring_count(number))
        )
        ring = Ring(number, call.caller_id, leg, call.sid, attempt, started_at=world.now(), engaged=engaged)
        world.ground_truth.add_ring(ring)
        if not engaged:
            world.lines.take(number)
        wait_s, ended = _UNANSWERED.get(does, (person.ring_s, ""))
        if does in _NETWORK_RESPONSES:
            wait_s = min(wait_s, timeout_s)
        elif wait_s >= timeout_s:
            wait_s, ended = timeout_s, "no-answer"
        if cut_s is not None and cut_s <= wait_s:
            wait_s, ended = cut_s, "canceled"
        await trio.sleep(wait_s)
        if ended:
            self._end_ring(ring, ended)
        else:
            ring.answered_at = world.now()
            ring.by_machine = call.by_machine[leg - 1] = does is RingResponse.MACHINE
        return ring, does

    def _talks_s(self, number: str) -> float:
        return self._state.people.find(number).talks_s

    async def _talk(self, call: Connect, request: ConnectRequest, talks_s: float) -> None:
        talks_s = min(talks_s, request.time_limit_s)
        await trio.sleep(talks_s)
        call.conversation_s = round(talks_s)

    def _finish(self, call: Connect, request: ConnectRequest, status: str) -> None:
        """Close the record and tell whoever asked. No checkpoint: nobody sees it half closed."""
        call.status, call.ended_at = status, self._state.now()
        self._state.channels.release(call.channels)
        if call.answered_at is not None:
            call.leg1 = "completed"
            call.leg_s[0] = round((call.ended_at - call.answered_at).total_seconds())
        self._report(call, request, "terminal")

    def _report(self, call: Connect, request: ConnectRequest, event: str) -> None:
        # The body is made now: a report delayed on its way still tells of the moment it is about.
        webhook = call_report(call, request, event, self._state)
        if webhook is not None:
            self._state.nursery.start_soon(self._send, "call-status", call.sid, webhook)

    def _post_flow_passthru(self, call: Connect) -> None:
        settings = self._state.settings
        if settings.flow_passthru_url is not None:
            webhook = flow_passthru(settings.flow_passthru_url, call, settings)
            self._state.nursery.start_soon(self._send, "flow-passthru", call.sid, webhook)

    async def _send(self, kind: str, call_sid: str, webhook: OutboundWebhook) -> None:
        await trio.sleep(self._state.settings.report_delay_s)
        await self._webhooks.deliver(kind, call_sid, webhook)

    def _end_ring(self, ring: Ring, ended: str) -> None:
        ring.ended, ring.ended_at = ended, self._state.now()
        if not ring.engaged:
            self._state.lines.release(ring.number)
            if not ring.answered:
                self._on_unanswered(ring)


def _status_of(leg: str | None) -> str:
    """A call's status after the leg that decides; none is ever `canceled`."""
    return "failed" if leg is None or leg == "canceled" else leg
