"""How one of our callbacks ended, from a status report or from Call Details.

    # agent first: the customer did not answer      Status=no-answer  leg 0 completed  leg 1 no-answer
    # the agent hung up while the customer's rang   Status=failed     leg 0 completed  leg 1 canceled
    # the agent did not answer, nobody else rang    Status=no-answer  leg 0 no-answer  leg 1 null
    # customer first: the agent did not answer      Status=no-answer  leg 0 completed  leg 1 no-answer
    # a flow, which nobody answered                 Status=completed  leg 0 no-answer  ConversationDuration=0

The status alone cannot say who did not answer. So the legs decide, and the status decides if the legs say
nothing. An agent has missed a callback only if their leg says so. After a miss another agent is called at
once, so a wrong guess would ring the customer's phone twice.
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
    # Ended while the phone rang: nobody talked, and the customer did not end the call.
    "canceled": Outcome.FAILED,
    "in-progress": None,
    "ringing": None,
    "queued": None,
}
"""The status of a call or a leg in Exotel's words; None is not final. A word not in the table is unknown."""

AGENT_MISSES: Final[Mapping[str, Reason]] = {
    "busy": Reason.AGENT_BUSY,
    "no-answer": Reason.AGENT_NO_ANSWER,
    # The agent's phone rang until Exotel or the other side ended the call: nobody answered.
    "canceled": Reason.AGENT_NO_ANSWER,
    "failed": Reason.AGENT_FAILED,
}
"""The reason for each status of an agent's leg without an answer."""

CUSTOMER_LEG: Final = {"agent": 1, "customer": 0}
"""The customer's leg, by whose phone rang first. In a flow it is leg 0."""


class CallbackOutcome(NamedTuple):
    """`outcome` is None until it is final. `reason` is set if it says more than the outcome."""

    outcome: Outcome | None
    reason: Reason | None = None


NOT_ENDED: Final = CallbackOutcome(None)


def callback_outcome(fields: Mapping[str, str], first_party: str | None) -> CallbackOutcome:
    """How the call ended for the customer, and whether an agent or a machine was the cause.

    `first_party` is whose phone rang first, `agent` or `customer`; None for a flow.
    """
    result = _read_outcome(fields, first_party)
    if result.outcome is Outcome.ANSWERED and is_answered_by_machine(
        fields, CUSTOMER_LEG.get(first_party or "", 0)
    ):
        return CallbackOutcome(Outcome.NO_ANSWER, Reason.ANSWERED_BY_MACHINE)
    return result


def has_agent_answered(fields: Mapping[str, str], first_party: str | None, outcome: CallbackOutcome) -> bool:
    """Whether it is certain that the agent answered: there was a conversation, or their leg says so."""
    if first_party is None or outcome.reason in AGENT_MISSES.values():
        return False
    is_their_leg = read_leg(fields, 1 - CUSTOMER_LEG.get(first_party, 1)).status == "completed"
    return outcome.outcome is Outcome.ANSWERED or (outcome.outcome is not None and is_their_leg)


def _read_outcome(fields: Mapping[str, str], first_party: str | None) -> CallbackOutcome:
    status = first_status(fields, "Status")
    if not status:
        return CallbackOutcome(_passthru_outcome(fields))
    # The events `answered` and `Dial` (an agent's popup) come while the call is in progress.
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
        # The customer's phone rang, so their leg decides.
        return CallbackOutcome(CALL_OUTCOMES.get(customer.status) or by_status)
    if agent.status in AGENT_MISSES:
        return CallbackOutcome(Outcome.FAILED, AGENT_MISSES[agent.status])
    return CallbackOutcome(_unless_no_conversation(fields, by_status, agent.is_named))


def _customer_first_outcome(fields: Mapping[str, str], by_status: Outcome) -> CallbackOutcome:
    customer, agent = read_leg(fields, 0), read_leg(fields, 1)
    customer_outcome = CALL_OUTCOMES.get(customer.status)
    if customer_outcome is not None and customer_outcome is not Outcome.ANSWERED:
        return CallbackOutcome(customer_outcome)
    has_talked = agent.has_talked or is_nonzero_duration(conversation_duration(fields))
    if agent.status in AGENT_MISSES and not has_talked:
        # The customer waited and no agent answered: that is no success, whatever the status says.
        return CallbackOutcome(Outcome.NO_ANSWER, AGENT_MISSES[agent.status])
    if agent.is_named or has_talked:
        return CallbackOutcome(customer_outcome or by_status)
    return CallbackOutcome(_unless_no_conversation(fields, by_status, customer.is_named))


def _unless_no_conversation(fields: Mapping[str, str], by_status: Outcome, knows_legs: bool) -> Outcome:
    """The outcome by status, except that a `completed` call without a conversation has failed.

    In such a call the second phone never rang, as one side ended the call first.
    """
    talked = conversation_duration(fields)
    if by_status is Outcome.ANSWERED and knows_legs and talked and not is_nonzero_duration(talked):
        return Outcome.FAILED
    return by_status


_READERS: Final[Mapping[str, Callable[[Mapping[str, str], Outcome], CallbackOutcome]]] = {
    "agent": _agent_first_outcome,
    "customer": _customer_first_outcome,
}


def _passthru_outcome(fields: Mapping[str, str]) -> Outcome | None:
    """The outcome by a Passthru inside the callback's flow, which has no `Status` but words of its own.

    If the flow has connected, recorded or finished the customer's call, the customer had answered, even if
    no agent did (`DialCallStatus`). `incomplete` alone proves nothing: it is also sent while the
    customer's phone rings.
    """
    if first_status(fields, "DialCallStatus") in ("completed", "no-answer", "busy", "failed", "canceled"):
        return Outcome.ANSWERED
    if first_word(fields, "CallType") in ("completed", "client-hangup", "voicemail"):
        return Outcome.ANSWERED
    return CALL_OUTCOMES.get(first_status(fields, "CallStatus"))


def _is_unfinished_record(fields: Mapping[str, str]) -> bool:
    return "CallSid" not in fields and "Sid" in fields and parse_instant(fields.get("EndTime")) is None
