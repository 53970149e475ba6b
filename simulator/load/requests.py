"""The requests of a load: whole HTTP requests as bytes; only CallSid, number and time differ.

Templates are made from the exchange's own requests, so that a load sends what the simulator sends.
Once a second they are made again for the new time; a request is then one `%` on bytes. Sid and number
have a constant width, so the Content-Length in the head is right for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from simulator.exchange.inbound_calls import missed_call_webhook
from simulator.exchange.model.formats import NumberFormat, new_sid
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks import passthru
from simulator.exchange.webhooks.passthru import WebhookContext
from simulator.exchange.webhooks.request import OutboundWebhook
from simulator.load.profile import LoadProfile, LoadShape

MAX_KNOWN_CALLERS: Final = 100_000
"""At most this many callers are remembered to call again."""

LATE_DELIVERY: Final = timedelta(minutes=5)
"""The age of a call in a late delivery: Exotel's first retry."""

_SID: Final = "calls0id0to0be0filled0in0by0load"
_DIGITS: Final = "6999999999"


class LoadRequest(NamedTuple):
    """One request to send. `call_index` is the number of its call in this run, from 0."""

    call_index: int
    request: bytes
    resend_after_s: float | None
    """Seconds from the planned instant to a second sending of the same request; None for no second one."""


class RequestStream:
    """An endless stream of requests: the same callers in the same order for the same seed."""

    def __init__(self, url: str, profile: LoadProfile, seed: int, now: Callable[[], datetime]) -> None:
        """CallSids also depend on the start time, so that two runs with one seed have different calls."""
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
            for make, wanted in ((_native_webhook, native), (_passthru_webhook, passthru))
            if wanted
        ]
        self._callers: list[int] = []
        self._next_index = 0
        self._second = 0
        self._templates: dict[tuple[int, bool], bytes] = {}

    def sid_of(self, call_index: int) -> str:
        """The CallSid of a call of this run."""
        return f"{self._sid_head}{call_index:08x}{self._sid_tail}"

    def next(self) -> LoadRequest:
        ordinal, profile = self._next_index, self._profile
        self._next_index += 1
        luck = self._rng.random()
        template = self._template(ordinal % len(self._kinds), luck < profile.late)
        request = template % {b"sid": self.sid_of(ordinal).encode(), b"digits": b"%d" % self._caller()}
        return LoadRequest(ordinal, request, self._resend_after_s(luck - profile.late))

    def _resend_after_s(self, luck: float) -> float | None:
        profile = self._profile
        if 0 <= luck < profile.duplicated:
            return self._rng.random()
        if profile.duplicated <= luck < profile.duplicated + profile.redelivered:
            return self._rng.choice(profile.redelivery_s)
        return None

    def _caller(self) -> int:
        """The ten digits of an Indian mobile number: a new number, or one that has called before."""
        rng, callers = self._rng, self._callers
        if callers and rng.random() < self._profile.repeats:
            return callers[int(rng.random() * len(callers))]
        digits = 6_000_000_000 + int(rng.random() * 4_000_000_000)
        if len(callers) < MAX_KNOWN_CALLERS:
            callers.append(digits)
        else:
            callers[int(rng.random() * MAX_KNOWN_CALLERS)] = digits
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
            webhook = make(self._url, exophone, now - LATE_DELIVERY if is_late else now)
            template = self._templates[kind, is_late] = _request_template(webhook)
        return template


def _native_webhook(url: str, exophone: str, at: datetime) -> OutboundWebhook:
    return missed_call_webhook(
        WebhookContext(_ring(exophone, at), url, "", NumberFormat.E164, with_date=True, at=at)
    )


def _passthru_webhook(url: str, exophone: str, at: datetime) -> OutboundWebhook:
    return passthru.call_attempt(
        WebhookContext(_ring(exophone, at), url, "", NumberFormat.ZERO, with_date=True, at=at)
    )


def _ring(exophone: str, at: datetime) -> InboundRing:
    return InboundRing(
        call_sid=_SID, number=f"+91{_DIGITS}", exophone=exophone, rung_at=at, shape="", spelling=""
    )


def _request_template(webhook: OutboundWebhook) -> bytes:
    """Return the request with placeholders for Sid and number: a format for `%`."""
    parts = urlsplit(webhook.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{webhook.method} {target} HTTP/1.1", f"host: {parts.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in webhook.headers.items()]
    if webhook.body:
        lines.append(f"content-length: {len(webhook.body)}")
    whole = "\r\n".join([*lines, "", ""]).encode() + webhook.body
    whole = whole.replace(b"%", b"%%")
    return whole.replace(_SID.encode(), b"%(sid)b").replace(_DIGITS.encode(), b"%(digits)b")
