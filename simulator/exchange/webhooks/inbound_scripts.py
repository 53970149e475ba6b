"""The course of a call that comes in: who rings, who talks and for how long, and what is told at which point.

    attempt-then-talked    a Passthru tells of the attempt, an agent's telephone rings, they talk, and
                           the Passthru behind the conversation tells of that

Durations are in seconds from the instant at which the caller rang.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from simulator.exchange.model.call_shapes import CallShape
from simulator.exchange.webhooks import misdirected, passthru
from simulator.exchange.webhooks.passthru import AgentLeg, WebhookContext
from simulator.exchange.webhooks.request import OutboundWebhook

AGENT_RINGS_S, VOICEMAIL_S, NEXT_APPLET_S, LATE_DELIVERY_S = 8, 15, 1, 90


class AgentRings(NamedTuple):
    """An agent's telephone, until somebody talks or it ends otherwise."""

    end_status: str = "no-answer"
    ring_s: int = AGENT_RINGS_S


class Conversation(NamedTuple):
    """Somebody talks to the caller, for as long as the caller likes to: an agent, or a bot."""

    with_agent: bool = True


class LeavesVoicemail(NamedTuple):
    """The caller leaves a voicemail."""


class SendsRequest(NamedTuple):
    """A request, made `after_s` later than what came before it, and delivered `delivery_delay_s` after
    that."""

    request: Callable[[WebhookContext], OutboundWebhook]
    after_s: int = 0
    delivery_delay_s: int = 0
    tells_end: bool = True
    """False for a request that tells neither of a missed call nor of the end of one."""


type CallEvent = AgentRings | Conversation | LeavesVoicemail | SendsRequest


def _extra_request(request: Callable[[WebhookContext], OutboundWebhook], after_s: int = 0) -> SendsRequest:
    return SendsRequest(request, after_s, tells_end=False)


ATTEMPT, TALKED = SendsRequest(passthru.call_attempt), SendsRequest(passthru.conversation, NEXT_APPLET_S)
POPUP, POPUP_FREE = _extra_request(passthru.agent_popup), _extra_request(passthru.agent_free_popup)
VOICEBOT, STREAM_START = (
    _extra_request(misdirected.voicebot_url),
    _extra_request(misdirected.stream_start, NEXT_APPLET_S),
)
AGENT_RINGS, CONVERSATION = AgentRings(), Conversation()

CALL_EVENTS: Mapping[CallShape, tuple[CallEvent, ...]] = {
    CallShape.ABANDONED: (),
    CallShape.DIGITS: (SendsRequest(passthru.digits),),
    CallShape.CLIENT_HANGUP: (AgentRings("canceled"), SendsRequest(passthru.client_hangup)),
    CallShape.NOT_ANSWERED: (AGENT_RINGS, SendsRequest(passthru.unanswered)),
    CallShape.AGENT_BUSY: (AgentRings("busy", 5), SendsRequest(passthru.unanswered)),
    CallShape.AGENT_FAILED: (AgentRings("failed", 3), SendsRequest(passthru.unanswered)),
    CallShape.VOICEMAIL: (AGENT_RINGS, LeavesVoicemail(), SendsRequest(passthru.voicemail)),
    CallShape.ANSWERED: (CONVERSATION,),
    CallShape.TALKED: (CONVERSATION, SendsRequest(passthru.conversation)),
    CallShape.INSIGHTS_TALKED: (AGENT_RINGS, CONVERSATION, SendsRequest(passthru.insights)),
    CallShape.INSIGHTS_MISSED: (AGENT_RINGS, SendsRequest(passthru.insights)),
    CallShape.BOT_TALKED: (Conversation(with_agent=False), SendsRequest(passthru.bot_stream)),
    CallShape.BOT_FAILED: (SendsRequest(passthru.bot_stream, NEXT_APPLET_S),),
    CallShape.ENDED_BUSY: (SendsRequest(misdirected.ended_busy),),
    CallShape.ENDED_NO_ANSWER: (SendsRequest(misdirected.ended_no_answer),),
    CallShape.ATTEMPT_THEN_TALKED: (ATTEMPT, AGENT_RINGS, CONVERSATION, TALKED),
    CallShape.ATTEMPT_THEN_MISSED: (ATTEMPT, AGENT_RINGS, SendsRequest(passthru.unanswered)),
    CallShape.NO_ANSWER_THEN_TALKED: (
        AGENT_RINGS,
        SendsRequest(passthru.unanswered),
        AGENT_RINGS,
        CONVERSATION,
        TALKED,
    ),
    CallShape.TALKED_THEN_LATE_ATTEMPT: (
        SendsRequest(passthru.call_attempt, delivery_delay_s=LATE_DELIVERY_S),
        CONVERSATION,
        TALKED,
    ),
    CallShape.POPUP_THEN_TALKED: (POPUP, AGENT_RINGS, CONVERSATION, POPUP_FREE, TALKED),
    CallShape.POPUP_THEN_MISSED: (
        POPUP,
        AGENT_RINGS,
        POPUP_FREE,
        SendsRequest(passthru.unanswered, NEXT_APPLET_S),
    ),
    CallShape.ATTEMPT_THEN_VOICEMAIL: (
        ATTEMPT,
        AGENT_RINGS,
        LeavesVoicemail(),
        SendsRequest(passthru.voicemail),
    ),
    CallShape.VOICEBOT_TALKED: (
        VOICEBOT,
        STREAM_START,
        Conversation(with_agent=False),
        SendsRequest(passthru.bot_stream),
    ),
    CallShape.POPUP: (POPUP,),
    CallShape.POPUP_FREE: (POPUP_FREE,),
    CallShape.VOICEBOT_URL: (VOICEBOT,),
    CallShape.VOICEBOT_FORM: (_extra_request(misdirected.voicebot_form),),
    CallShape.STREAM_START: (_extra_request(misdirected.stream_start),),
    CallShape.INTEGRATION_CORE: (_extra_request(misdirected.integration_core),),
    CallShape.CCM: (_extra_request(misdirected.ccm),),
    CallShape.DIAL_WHOM: (_extra_request(misdirected.dial_whom),),
}
"""What happens in a call of each shape. Of the usual missed calls, which last no time, see `inbound`."""


@dataclass(frozen=True, slots=True)
class ScheduledRequest:
    """One request: of which instant it tells, when it leaves, and how the last agent's leg stood."""

    event: SendsRequest
    at_s: int
    agent_leg: AgentLeg | None


@dataclass(slots=True)
class CallScript:
    """A call from its first second to its last."""

    requests: list[ScheduledRequest]
    duration_s: int = 0
    talk_s: tuple[int, int] | None = None
    """From when until when somebody talked to the caller."""
    agent_s: tuple[int, int] | None = None
    """From when until when the agent's telephone rings or is talked on."""
    voicemail_s: int | None = None
    """When the caller had left one."""
    agent_leg: AgentLeg | None = None
    """How the last agent's leg ended."""


def script_of(shape: CallShape, talks_s: int) -> CallScript:
    """`talks_s` is how long the caller talks to whoever takes the call."""
    course = CallScript([])
    for event in CALL_EVENTS.get(shape, ()):
        began_s = course.duration_s
        match event:
            case AgentRings(ended, rings_s):
                course.duration_s += rings_s
                course.agent_leg = AgentLeg(ended, rings_s)
            case Conversation(with_agent):
                course.duration_s += talks_s
                course.talk_s = (began_s, course.duration_s)
                if with_agent:
                    course.agent_leg = AgentLeg(
                        "completed", course.agent_leg.ring_s if course.agent_leg else 0, talks_s
                    )
            case LeavesVoicemail():
                course.duration_s += VOICEMAIL_S
                course.voicemail_s = course.duration_s
            case SendsRequest():
                course.duration_s += event.after_s
                course.requests.append(ScheduledRequest(event, course.duration_s, course.agent_leg))
        if isinstance(event, AgentRings) or event == CONVERSATION:
            course.agent_s = (course.agent_s[0] if course.agent_s else began_s, course.duration_s)
    course.requests.sort(key=lambda moment: moment.at_s + moment.event.delivery_delay_s)
    return course
