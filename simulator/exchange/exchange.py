"""The exchange: numbers that can be rung, people who may answer, and an account that pays.

This is the front door for whoever drives a simulation. `api.handle_request` is the one for the daemon.
Nothing here knows how requests reach it or how its own leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from random import Random

import trio

from simulator.exchange.inbound_calls import InboundCalls
from simulator.exchange.model.call_shapes import CallShape
from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.faults import ActiveFaults
from simulator.exchange.model.formats import NumberFormat, parse_number
from simulator.exchange.model.ground_truth import GroundTruth
from simulator.exchange.model.people import Person, PersonRegistry
from simulator.exchange.model.rate_limit import SlidingWindowLimit
from simulator.exchange.model.records import InboundRing, Ring
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.sms import SmsService
from simulator.exchange.voice import VoiceService
from simulator.exchange.webhooks.delivery import WebhookDelivery
from simulator.exchange.webhooks.misdirected import HeartbeatStatus
from simulator.exchange.webhooks.request import Poster


class Exchange:
    """Lives as long as `nursery`, which its calls, texts and webhooks run in.

    `now` gives aware UTC and must keep step with trio's clock. The same `rng` seed, settings and
    order of requests give the same run: Sids, faults and the rest draw from streams of their own.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        now: Callable[[], datetime],
        rng: Random,
        settings: ExchangeSettings,
        poster: Poster,
        people: PersonRegistry | None = None,
        print_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        sids, luck, odds = (Random(rng.getrandbits(64)) for _ in range(3))  # noqa: S311 (repeatable)
        self.state = ExchangeState(
            nursery, now, settings, sids, luck, ActiveFaults(odds), people or PersonRegistry(), print_line
        )
        postman = WebhookDelivery(self.state, poster)
        self.voice = VoiceService(self.state, postman, self._on_unanswered_ring)
        self.sms = SmsService(self.state, postman)
        self.voice_limit, self.sms_limit = SlidingWindowLimit(), SlidingWindowLimit()
        self._inbound = InboundCalls(self.state, postman, self.sms)
        self._rings_back_count: Counter[str] = Counter()

    @property
    def ground_truth(self) -> GroundTruth:
        return self.state.ground_truth

    @property
    def faults(self) -> ActiveFaults:
        return self.state.faults

    @property
    def people(self) -> PersonRegistry:
        return self.state.people

    @property
    def settings(self) -> ExchangeSettings:
        return self.state.settings

    def ring_in(
        self,
        person: Person | str,
        exophone: str | None = None,
        shape: CallShape | str = CallShape.PASSTHRU,
        *,
        spelling: NumberFormat | str | None = None,
        with_date: bool = True,
        call_sid: str | None = None,
        first_try: trio.Event | None = None,
    ) -> InboundRing:
        """Give a missed call to `exophone` (by default the first), and tell of it in the background.

        A person becomes known by their number; a plain number rings as whoever it is known as.
        `spelling` is for both numbers (by default `0…` in a Passthru, `+91…` in the native POST);
        `call_sid` tells of an earlier call again. `first_try` is set once the first post has ended.
        Raises NoMissedCallUrl without a `missed_call_url`, ValueError for what is no number.
        """
        if isinstance(person, str):
            person = self.people.find(_require_number(person))
        else:
            self.people.add(person)
        called = self.settings.exophones[0] if exophone is None else _require_number(exophone)
        spelled = None if spelling is None else NumberFormat(spelling)
        return self._inbound.ring(person, called, CallShape(shape), spelled, with_date, call_sid, first_try)

    def send_heartbeat(self, health: HeartbeatStatus | str) -> None:
        """Send a heartbeat of the ExoPhones to the address for missed calls. Raises NoMissedCallUrl."""
        self._inbound.send_heartbeat(HeartbeatStatus(health))

    def _on_unanswered_ring(self, ring: Ring) -> None:
        """A telephone rang and was not taken: whoever sees it may ring back."""
        waits_s, index = self.people.find(ring.number).rings_back, self._rings_back_count[ring.number]
        if index < len(waits_s) and self.settings.missed_call_url is not None:
            self._rings_back_count[ring.number] += 1
            self.state.nursery.start_soon(self._ring_back, ring, waits_s[index], name=f"missed {ring.sid}")

    async def _ring_back(self, ring: Ring, wait_s: float) -> None:
        await trio.sleep(wait_s)
        self.ring_in(ring.number, ring.caller_id)


def _require_number(text: str) -> str:
    number = parse_number(text)
    if number is None:
        raise ValueError(f"{text!r} is not a telephone number")
    return number
