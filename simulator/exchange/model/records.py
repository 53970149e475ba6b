"""What really happened at the exchange, fact by fact: plain records, one class for each kind.

Numbers are E.164, instants aware and in UTC, durations in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class Ring:
    """One try of a telephone. It rang unless it was `engaged`. Every re-dial is a ring of its own."""

    number: str
    caller_id: str
    leg: int
    """1 for the party dialled first, 2 for the second."""
    sid: str
    """The call it belongs to: `Connect.sid`."""
    attempt: int
    """1, then more where Exotel re-dialled leg 1 by itself (`MaxRetries`)."""
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ended: str | None = None
    """`completed`, `no-answer`, `busy`, `failed` or `canceled`; None while it lasts."""
    by_machine: bool = False
    """An answering machine took it: nobody was spoken with."""
    engaged: bool = False
    """Another call had the line: the phone did not ring, and the person on it noticed nothing."""

    @property
    def answered(self) -> bool:
        return self.answered_at is not None


@dataclass(slots=True)
class Connect:
    """One call that a connect request really created; two identical requests make two of these."""

    sid: str
    from_number: str
    to_number: str | None
    """The second party, or None where the call goes to a flow."""
    caller_id: str
    created_at: datetime
    fields: Mapping[str, str]
    """The form exactly as it came."""
    flow_url: str | None = None
    status: str = "in-progress"
    leg1: str | None = None
    leg2: str | None = None
    leg_s: list[int] = field(default_factory=lambda: [0, 0])
    """Seconds on the line, ringing not counted, by leg."""
    by_machine: list[bool] = field(default_factory=lambda: [False, False])
    """Whether an answering machine took it, by leg."""
    conversation_s: int = 0
    answered_at: datetime | None = None
    """When the first leg was taken."""
    ended_at: datetime | None = None

    @property
    def channels(self) -> int:
        """How many of the account's it takes while it goes on."""
        return 1 if self.to_number is None else 2


@dataclass(slots=True)
class Text:
    """One SMS that was accepted for sending."""

    sid: str
    number: str
    sender: str
    body: str
    units: int
    sent_at: datetime
    """When the exchange accepted it; `delivered_at` is when the handset had it."""
    sms_type: str
    via: str = "api"
    """`api`, or `applet` where the text was fetched by the dynamic SMS applet."""
    fields: Mapping[str, str] = field(default_factory=dict)
    code: int = 21010
    updated_at: datetime | None = None
    delivered_at: datetime | None = None
    final: bool = False

    @property
    def delivered(self) -> bool:
        return self.delivered_at is not None


@dataclass(slots=True)
class InboundRing:
    """One call that a person really made: a missed one, or one that was answered."""

    call_sid: str
    number: str
    exophone: str
    rung_at: datetime
    shape: str
    spelling: str
    heard_ringing_s: float | None = None
    """How long the first Passthru answer took: so long the caller went on hearing it ring."""
    engaged: bool = False
    """The account had no channel free: the caller heard the engaged tone, and nothing is told of it."""
    lasted_s: int = 0
    """How long the caller was on the telephone; a pure missed call takes no time."""
    talked_from: datetime | None = None
    """When somebody began to talk to the caller, and when that will end: an agent, or a bot."""
    talked_until: datetime | None = None
    voicemail_at: datetime | None = None
    """When the caller had left one."""
    agent_leg: str | None = None
    """How the last try of an agent ended; None where none was rung."""

    @property
    def ended_at(self) -> datetime:
        return self.rung_at + timedelta(seconds=self.lasted_s)

    @property
    def talked_s(self) -> int:
        if self.talked_from is None or self.talked_until is None:
            return 0
        return round((self.talked_until - self.talked_from).total_seconds())


@dataclass(slots=True)
class DroppedText:
    """What the dynamic SMS applet fetched for a caller and did not send."""

    call_sid: str
    number: str
    at: datetime
    why: str


@dataclass(slots=True)
class Delivery:
    """One webhook as posted, or as lost on the way."""

    kind: str
    """`missed-call`, `call-status`, `flow-passthru`, `sms-status` or `sms-text`."""
    call_sid: str
    """The Sid in question; for `sms-status` the SMS's, "" for a heartbeat."""
    url: str
    method: str
    attempt: int
    at: datetime
    tells_end: bool = True
    """False for what tells neither of a missed call nor of the end of one: a popup, another product."""
    copy: bool = False
    """True for the second posting of a duplicated one."""
    status: int | None = None
    """What the other side answered, None if nothing was heard."""
    verdict: str | None = None
    """The daemon's `Missedd-Verdict` header."""
    failure: str | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class RequestSender:
    """Which of several daemons sent a request, and in which of its terms as leader; None if in none."""

    node: int
    """From 1."""
    epoch: int | None


SENDER_EXTENSION = "simulated_sender"
"""The extension of an httpx request that carries its `RequestSender`."""


@dataclass(slots=True)
class ApiRequest:
    """One request to the API, served, refused or broken by a fault."""

    at: datetime
    method: str
    path: str
    query: str
    target: str
    is_voice: bool
    """Counts against the account's voice budget."""
    status: int | None = None
    """What was answered; None where no answer reached the caller."""
    fault: str | None = None
    fault_when: str | None = None
    sid: str | None = None
    """The call or SMS that this request really created; of several texts the first."""
    sids: list[str] = field(default_factory=list)
    """All that it created, in its order."""
    ignored: list[str] = field(default_factory=list)
    """Names of parameters that Exotel does not know: spelled otherwise, or without their index."""
    sent_by: RequestSender | None = None
    """Known only where several daemons are simulated."""
