"""The exchange: numbers that can be rung, people who may answer, and an account that pays.

This is the front door for whoever drives a simulation. `api.respond` is the one for the daemon.
Nothing here knows how requests reach it or how its own leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from random import Random

import trio

from simulator.exchange.inbound_calls import Inbound
from simulator.exchange.model.call_shapes import Shape
from simulator.exchange.model.context import World
from simulator.exchange.model.faults import Faults
from simulator.exchange.model.formats import Spelling, e164
from simulator.exchange.model.ground_truth import Truth
from simulator.exchange.model.people import People, Person
from simulator.exchange.model.rate_limit import SlidingLimit
from simulator.exchange.model.records import InboundRing, Ring
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.sms import Texting
from simulator.exchange.voice import Voice
from simulator.exchange.webhooks.delivery import Postman
from simulator.exchange.webhooks.misdirected import Health
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
        people: People | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        sids, luck, odds = (Random(rng.getrandbits(64)) for _ in range(3))  # noqa: S311 (repeatable)
        self.world = World(nursery, now, settings, sids, luck, Faults(odds), people or People(), say)
        postman = Postman(self.world, poster)
        self.voice = Voice(self.world, postman, self._missed)
        self.texting = Texting(self.world, postman)
        self.voice_limit, self.sms_limit = SlidingLimit(), SlidingLimit()
        self._inbound = Inbound(self.world, postman, self.texting)
        self._rung_back: Counter[str] = Counter()

    @property
    def truth(self) -> Truth:
        return self.world.truth

    @property
    def faults(self) -> Faults:
        return self.world.faults

    @property
    def people(self) -> People:
        return self.world.people

    @property
    def settings(self) -> ExchangeSettings:
        return self.world.settings

    def ring_in(
        self,
        person: Person | str,
        exophone: str | None = None,
        shape: Shape | str = Shape.PASSTHRU,
        *,
        spelling: Spelling | str | None = None,
        with_date: bool = True,
        call_sid: str | None = None,
        first_try: trio.Event | None = None,
    ) -> InboundRing:
        """Give a missed call to `exophone` (by default the first), and tell of it in the background.

        A person becomes known by their number; a plain number rings as whoever it is known as.
        `spelling` is for both numbers (by default `0…` in a Passthru, `+91…` in the native POST);
        `call_sid` tells of an earlier call again. `first_try` is set once the first post has ended.
        Raises NowhereToPost without a `missed_call_url`, ValueError for what is no number.
        """
        if isinstance(person, str):
            person = self.people.find(_checked(person))
        else:
            self.people.add(person)
        called = self.settings.exophones[0] if exophone is None else _checked(exophone)
        spelled = None if spelling is None else Spelling(spelling)
        return self._inbound.ring(person, called, Shape(shape), spelled, with_date, call_sid, first_try)

    def beat(self, health: Health | str) -> None:
        """Send a heartbeat of the ExoPhones to the address for missed calls. Raises NowhereToPost."""
        self._inbound.beat(Health(health))

    def _missed(self, ring: Ring) -> None:
        """A telephone rang and was not taken: whoever sees it may ring back."""
        waits_s, index = self.people.find(ring.number).rings_back, self._rung_back[ring.number]
        if index < len(waits_s) and self.settings.missed_call_url is not None:
            self._rung_back[ring.number] += 1
            self.world.nursery.start_soon(self._ring_back, ring, waits_s[index], name=f"missed {ring.sid}")

    async def _ring_back(self, ring: Ring, wait_s: float) -> None:
        await trio.sleep(wait_s)
        self.ring_in(ring.number, ring.caller_id)


def _checked(text: str) -> str:
    number = e164(text)
    if number is None:
        raise ValueError(f"{text!r} is not a telephone number")
    return number
