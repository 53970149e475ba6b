"""The course of a call that comes in: who rings, who talks and for how long, and what is told at which point.

    attempt-then-talked    a Passthru tells of the attempt, an agent's telephone rings, they talk, and
                           the Passthru behind the conversation tells of that

Durations are in seconds from the instant at which the caller rang.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from simulator.exchange.model.call_shapes import Shape
from simulator.exchange.webhooks import misdirected, passthru
from simulator.exchange.webhooks.passthru import Dial, Told
from simulator.exchange.webhooks.request import OutboundWebhook

AGENT_RINGS_S, VOICEMAIL_S, NEXT_APPLET_S, LATE_S = 8, 15, 1, 90


class Rings(NamedTuple):
    """An agent's telephone, until somebody talks or it ends otherwise."""

    ended: str = "no-answer"
    rings_s: int = AGENT_RINGS_S


class Talks(NamedTuple):
    """Somebody talks to the caller, for as long as the caller likes to: an agent, or a bot."""

    with_agent: bool = True


class Records(NamedTuple):
    """The caller leaves a voicemail."""


class Tells(NamedTuple):
    """A request, made `after_s` later than what came before it, and delivered `late_s` after that."""

    request: Callable[[Told], OutboundWebhook]
    after_s: int = 0
    late_s: int = 0
    tells_end: bool = True
    """False for a request that tells neither of a missed call nor of the end of one."""


type Event = Rings | Talks | Records | Tells


def _aside(request: Callable[[Told], OutboundWebhook], after_s: int = 0) -> Tells:
    return Tells(request, after_s, tells_end=False)


ATTEMPT, TALKED = Tells(passthru.attempt), Tells(passthru.talked, NEXT_APPLET_S)
POPUP, POPUP_FREE = _aside(passthru.popup), _aside(passthru.popup_free)
VOICEBOT, STREAM_START = _aside(misdirected.voicebot_url), _aside(misdirected.stream_start, NEXT_APPLET_S)
RINGS, TALKS = Rings(), Talks()

EVENTS: Mapping[Shape, tuple[Event, ...]] = {
    Shape.ABANDONED: (),
    Shape.DIGITS: (Tells(passthru.digits),),
    Shape.CLIENT_HANGUP: (Rings("canceled"), Tells(passthru.client_hangup)),
    Shape.NOT_ANSWERED: (RINGS, Tells(passthru.unanswered)),
    Shape.AGENT_BUSY: (Rings("busy", 5), Tells(passthru.unanswered)),
    Shape.AGENT_FAILED: (Rings("failed", 3), Tells(passthru.unanswered)),
    Shape.VOICEMAIL: (RINGS, Records(), Tells(passthru.voicemail)),
    Shape.ANSWERED: (TALKS,),
    Shape.TALKED: (TALKS, Tells(passthru.talked)),
    Shape.INSIGHTS_TALKED: (RINGS, TALKS, Tells(passthru.insights)),
    Shape.INSIGHTS_MISSED: (RINGS, Tells(passthru.insights)),
    Shape.BOT_TALKED: (Talks(with_agent=False), Tells(passthru.stream)),
    Shape.BOT_FAILED: (Tells(passthru.stream, NEXT_APPLET_S),),
    Shape.ENDED_BUSY: (Tells(misdirected.ended_busy),),
    Shape.ENDED_NO_ANSWER: (Tells(misdirected.ended_no_answer),),
    Shape.ATTEMPT_THEN_TALKED: (ATTEMPT, RINGS, TALKS, TALKED),
    Shape.ATTEMPT_THEN_MISSED: (ATTEMPT, RINGS, Tells(passthru.unanswered)),
    Shape.NO_ANSWER_THEN_TALKED: (RINGS, Tells(passthru.unanswered), RINGS, TALKS, TALKED),
    Shape.TALKED_THEN_LATE_ATTEMPT: (Tells(passthru.attempt, late_s=LATE_S), TALKS, TALKED),
    Shape.POPUP_THEN_TALKED: (POPUP, RINGS, TALKS, POPUP_FREE, TALKED),
    Shape.POPUP_THEN_MISSED: (POPUP, RINGS, POPUP_FREE, Tells(passthru.unanswered, NEXT_APPLET_S)),
    Shape.ATTEMPT_THEN_VOICEMAIL: (ATTEMPT, RINGS, Records(), Tells(passthru.voicemail)),
    Shape.VOICEBOT_TALKED: (VOICEBOT, STREAM_START, Talks(with_agent=False), Tells(passthru.stream)),
    Shape.POPUP: (POPUP,),
    Shape.POPUP_FREE: (POPUP_FREE,),
    Shape.VOICEBOT_URL: (VOICEBOT,),
    Shape.VOICEBOT_FORM: (_aside(misdirected.voicebot_form),),
    Shape.STREAM_START: (_aside(misdirected.stream_start),),
    Shape.INTEGRATION_CORE: (_aside(misdirected.integration_core),),
    Shape.CCM: (_aside(misdirected.ccm),),
    Shape.DIAL_WHOM: (_aside(misdirected.dial_whom),),
}
"""What happens in a call of each shape. Of the usual missed calls, which last no time, see `inbound`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One request: of which instant it tells, when it leaves, and how the last agent's leg stood."""

    tells: Tells
    at_s: int
    dial: Dial | None


@dataclass(slots=True)
class Course:
    """A call from its first second to its last."""

    told: list[Moment]
    lasts_s: int = 0
    talk_s: tuple[int, int] | None = None
    """From when until when somebody talked to the caller."""
    agent_s: tuple[int, int] | None = None
    """From when until when the agent's telephone rings or is talked on."""
    voicemail_s: int | None = None
    """When the caller had left one."""
    dial: Dial | None = None
    """How the last agent's leg ended."""


def course_of(shape: Shape, talks_s: int) -> Course:
    """`talks_s` is how long the caller talks to whoever takes the call."""
    course = Course([])
    for event in EVENTS.get(shape, ()):
        began_s = course.lasts_s
        match event:
            case Rings(ended, rings_s):
                course.lasts_s += rings_s
                course.dial = Dial(ended, rings_s)
            case Talks(with_agent):
                course.lasts_s += talks_s
                course.talk_s = (began_s, course.lasts_s)
                if with_agent:
                    course.dial = Dial("completed", course.dial.rang_s if course.dial else 0, talks_s)
            case Records():
                course.lasts_s += VOICEMAIL_S
                course.voicemail_s = course.lasts_s
            case Tells():
                course.lasts_s += event.after_s
                course.told.append(Moment(event, course.lasts_s, course.dial))
        if isinstance(event, Rings) or event == TALKS:
            course.agent_s = (course.agent_s[0] if course.agent_s else began_s, course.lasts_s)
    course.told.sort(key=lambda moment: moment.at_s + moment.tells.late_s)
    return course
