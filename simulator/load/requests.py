"""The requests of a load: whole HTTP requests as bytes, in which only CallSid, number and time are new.

Templates are cut from the exchange's own requests, so that a load sends what the simulator sends.
Once a second they are cut anew for the time; a call is then one `%` on bytes. Sid and number have
a constant width, and so the head with its Content-Length holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from simulator.exchange.inbound_calls import native_request
from simulator.exchange.model.formats import Spelling, new_sid
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks import passthru
from simulator.exchange.webhooks.passthru import Told
from simulator.exchange.webhooks.request import OutboundWebhook
from simulator.load.profile import LoadShape, Profile

REMEMBERED: Final = 100_000
"""Callers of whom some ring again."""

LATE: Final = timedelta(minutes=5)
"""How long ago the call of a late delivery was: Exotel's first retry."""

_SID: Final = "calls0id0to0be0filled0in0by0load"
_DIGITS: Final = "6999999999"


class Call(NamedTuple):
    """One request to be sent. `ordinal` says which call it tells of: counted from 0, in this run."""

    ordinal: int
    request: bytes
    again_in_s: float | None
    """When the very same is to be sent once more, counted from its planned instant."""


class Calls:
    """An endless supply of calls: the same people in the same order for the same seed."""

    def __init__(self, url: str, profile: Profile, seed: int, now: Callable[[], datetime]) -> None:
        """CallSids depend on the instant of the start too: two runs with one seed tell of different calls."""
        self._url = url
        self._profile = profile
        self._rng = Random(seed)  # noqa: S311 (repeatable on purpose)
        self._now = now
        self.began_at = now()
        sid = new_sid(Random(self.began_at.timestamp()), self.began_at)  # noqa: S311
        self._sid_head, self._sid_tail = sid[:20], sid[-4:]
        native = profile.shape is not LoadShape.PASSTHRU
        passthru = profile.shape is not LoadShape.NATIVE
        self._kinds = [
            (exophone, make)
            for exophone in profile.exophones
            for make, wanted in ((_native, native), (_passthru, passthru))
            if wanted
        ]
        self._callers: list[int] = []
        self._taken = 0
        self._second = 0
        self._templates: dict[tuple[int, bool], bytes] = {}

    def sid_of(self, ordinal: int) -> str:
        """The CallSid of a call of this run."""
        return f"{self._sid_head}{ordinal:08x}{self._sid_tail}"

    def next(self) -> Call:
        ordinal, profile = self._taken, self._profile
        self._taken += 1
        luck = self._rng.random()
        template = self._template(ordinal % len(self._kinds), luck < profile.late)
        request = template % {b"sid": self.sid_of(ordinal).encode(), b"digits": b"%d" % self._caller()}
        return Call(ordinal, request, self._again_in_s(luck - profile.late))

    def _again_in_s(self, luck: float) -> float | None:
        profile = self._profile
        if 0 <= luck < profile.doubled:
            return self._rng.random()
        if profile.doubled <= luck < profile.doubled + profile.redelivered:
            return self._rng.choice(profile.redelivery_s)
        return None

    def _caller(self) -> int:
        """The ten digits of an Indian mobile number: a new one, or one that has rung before."""
        rng, callers = self._rng, self._callers
        if callers and rng.random() < self._profile.repeats:
            return callers[int(rng.random() * len(callers))]
        digits = 6_000_000_000 + int(rng.random() * 4_000_000_000)
        if len(callers) < REMEMBERED:
            callers.append(digits)
        else:
            callers[int(rng.random() * REMEMBERED)] = digits
        return digits

    def _template(self, kind: int, is_late: bool) -> bytes:
        now = self._now()
        second = int(now.timestamp())
        if second != self._second:
            self._second = second
            self._templates.clear()
        template = self._templates.get((kind, is_late))
        if template is None:
            exophone, make = self._kinds[kind]
            webhook = make(self._url, exophone, now - LATE if is_late else now)
            template = self._templates[kind, is_late] = _cut(webhook)
        return template


def _native(url: str, exophone: str, at: datetime) -> OutboundWebhook:
    return native_request(Told(_ring(exophone, at), url, "", Spelling.E164, with_date=True, at=at))


def _passthru(url: str, exophone: str, at: datetime) -> OutboundWebhook:
    return passthru.attempt(Told(_ring(exophone, at), url, "", Spelling.ZERO, with_date=True, at=at))


def _ring(exophone: str, at: datetime) -> InboundRing:
    return InboundRing(
        call_sid=_SID, number=f"+91{_DIGITS}", exophone=exophone, rung_at=at, shape="", spelling=""
    )


def _cut(webhook: OutboundWebhook) -> bytes:
    """The request with places for Sid and number: a format for `%`."""
    parts = urlsplit(webhook.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{webhook.method} {target} HTTP/1.1", f"host: {parts.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in webhook.headers.items()]
    if webhook.body:
        lines.append(f"content-length: {len(webhook.body)}")
    whole = "\r\n".join([*lines, "", ""]).encode() + webhook.body
    whole = whole.replace(b"%", b"%%")
    return whole.replace(_SID.encode(), b"%(sid)b").replace(_DIGITS.encode(), b"%(digits)b")
