"""How a callback of ours ended, out of a status report or of Call Details.

    # agent first: the customer did not answer      Status=no-answer  leg 0 completed  leg 1 no-answer
    # the agent hung up while the customer's rang   Status=failed     leg 0 completed  leg 1 canceled
    # the agent did not answer, nobody else rang    Status=no-answer  leg 0 no-answer  leg 1 null
    # customer first: the agent did not answer      Status=no-answer  leg 0 completed  leg 1 no-answer
    # a flow, which nobody answered                 Status=completed  leg 0 no-answer  ConversationDuration=0

The status alone cannot say who did not answer, so the legs decide, and the status where they are
silent. That an agent missed a callback is believed only where their leg is named: then another agent
may be rung at once, so a guess would ring the customer's telephone twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from missedd.core.model import Outcome
from missedd.core.reasons import Reason
from missedd.exotel.call_legs import (
    conversation_duration,
    first_status,
    is_answered_by_machine,
    is_nonzero_duration,
    read_leg,
)
from missedd.exotel.dates import parse_instant
from missedd.exotel.webhook_fields import first_word

CALL_OUTCOMES: Final[Mapping[str, Outcome | None]] = {
    "completed": Outcome.ANSWERED,
    "no-answer": Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "failed": Outcome.FAILED,
    # Given up while it rang: nobody talked, and it was not the customer's doing.
    "canceled": Outcome.FAILED,
    "in-progress": None,
    "ringing": None,
    "queued": None,
}
"""A call's, or a leg's, status in Exotel's words; None is not final. What is absent is unknown."""

AGENT_MISSES: Final[Mapping[str, Reason]] = {
    "busy": Reason.AGENT_BUSY,
    "no-answer": Reason.AGENT_NO_ANSWER,
    # It rang until the provider gave up, or the other side did: nobody took it.
    "canceled": Reason.AGENT_NO_ANSWER,
    "failed": Reason.AGENT_FAILED,
}
"""What an agent's leg says of an agent who did not come."""

CUSTOMER_LEG: Final = {"agent": 1, "customer": 0}
"""Which leg is the customer's, by who was rung first; in a flow it is the first."""


class CallbackOutcome(NamedTuple):
    """`outcome` is None while nothing is final; `reason` is there where it says more than the outcome."""

    outcome: Outcome | None
    reason: Reason | None = None


NOT_ENDED: Final = CallbackOutcome(None)


def callback_outcome(fields: Mapping[str, str], first_party: str | None) -> CallbackOutcome:
    """How the call ended for the customer, and whether that was an agent's or a machine's doing.

    `first_party` says who was rung first, `agent` or `customer`; None where a flow was called.
    """
    told = _read_outcome(fields, first_party)
    if told.outcome is Outcome.ANSWERED and is_answered_by_machine(
        fields, CUSTOMER_LEG.get(first_party or "", 0)
    ):
        return CallbackOutcome(Outcome.NO_ANSWER, Reason.ANSWERED_BY_MACHINE)
    return told


def has_agent_answered(fields: Mapping[str, str], first_party: str | None, outcome: CallbackOutcome) -> bool:
    """Whether it is certain that the agent took the call: they talked, or their leg says so."""
    if first_party is None or outcome.reason in AGENT_MISSES.values():
        return False
    is_their_leg = read_leg(fields, 1 - CUSTOMER_LEG.get(first_party, 1)).status == "completed"
    return outcome.outcome is Outcome.ANSWERED or (outcome.outcome is not None and is_their_leg)


def _read_outcome(fields: Mapping[str, str], first_party: str | None) -> CallbackOutcome:
    status = first_status(fields, "Status")
    if not status:
        return CallbackOutcome(_passthru_outcome(fields))
    # `answered` and an agent's popup (`Dial`) tell of a call that is still going on.
    if first_word(fields, "EventType") in ("answered", "dial") or _is_unfinished_record(fields):
        return NOT_ENDED
    by_status = CALL_OUTCOMES.get(status)
    if by_status is None:
        return NOT_ENDED
    return _READERS.get(first_party or "", _flow_outcome)(fields, by_status)


def _flow_outcome(fields: Mapping[str, str], by_status: Outcome) -> CallbackOutcome:
    customer = read_leg(fields, 0)
    has_talked = customer.has_talked or is_nonzero_duration(conversation_duration(fields))
    if has_talked and by_status is Outcome.ANSWERED:
        return CallbackOutcome(by_status)
    return CallbackOutcome(CALL_OUTCOMES.get(customer.status) or by_status)


def _agent_first_outcome(fields: Mapping[str, str], by_status: Outcome) -> CallbackOutcome:
    agent, customer = read_leg(fields, 0), read_leg(fields, 1)
    if customer.is_named or customer.has_talked or is_nonzero_duration(conversation_duration(fields)):
        # The customer's telephone rang, so it is their answer that counts.
        return CallbackOutcome(CALL_OUTCOMES.get(customer.status) or by_status)
    if agent.status in AGENT_MISSES:
        return CallbackOutcome(Outcome.FAILED, AGENT_MISSES[agent.status])
    return CallbackOutcome(_unless_no_conversation(fields, by_status, agent.is_named))


def _customer_first_outcome(fields: Mapping[str, str], by_status: Outcome) -> CallbackOutcome:
    customer, agent = read_leg(fields, 0), read_leg(fields, 1)
    told = CALL_OUTCOMES.get(customer.status)
    if told is not None and told is not Outcome.ANSWERED:
        return CallbackOutcome(told)
    has_talked = agent.has_talked or is_nonzero_duration(conversation_duration(fields))
    if agent.status in AGENT_MISSES and not has_talked:
        # They waited for nobody: that is no success, whatever the status says.
        return CallbackOutcome(Outcome.NO_ANSWER, AGENT_MISSES[agent.status])
    if agent.is_named or has_talked:
        return CallbackOutcome(told or by_status)
    return CallbackOutcome(_unless_no_conversation(fields, by_status, customer.is_named))


def _unless_no_conversation(fields: Mapping[str, str], by_status: Outcome, knows_legs: bool) -> Outcome:
    """The status, but for a `completed` call whose second telephone never rang: one side gave up first."""
    talked = conversation_duration(fields)
    if by_status is Outcome.ANSWERED and knows_legs and talked and not is_nonzero_duration(talked):
        return Outcome.FAILED
    return by_status


_READERS: Final[Mapping[str, Callable[[Mapping[str, str], Outcome], CallbackOutcome]]] = {
    "agent": _agent_first_outcome,
    "customer": _customer_first_outcome,
}


def _passthru_outcome(fields: Mapping[str, str]) -> Outcome | None:
    """What a Passthru inside the callback's flow tells: there is no `Status`, but words of its own.

    Once the flow has connected, recorded or finished with the customer, they had answered; that
    an agent did not (`DialCallStatus`) is another matter. `incomplete` alone tells nothing: it is
    also sent while the customer's phone rings.
    """
    if first_status(fields, "DialCallStatus") in ("completed", "no-answer", "busy", "failed", "canceled"):
        return Outcome.ANSWERED
    if first_word(fields, "CallType") in ("completed", "client-hangup", "voicemail"):
        return Outcome.ANSWERED
    return CALL_OUTCOMES.get(first_status(fields, "CallStatus"))


def _is_unfinished_record(fields: Mapping[str, str]) -> bool:
    return "CallSid" not in fields and "Sid" in fields and parse_instant(fields.get("EndTime")) is None
