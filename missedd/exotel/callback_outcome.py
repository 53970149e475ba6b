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
from missedd.exotel.call_legs import call_word, conversation, is_machine, is_some_time, leg
from missedd.exotel.dates import read_instant
from missedd.exotel.webhook_fields import word

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


class Ending(NamedTuple):
    """`outcome` is None while nothing is final; `reason` is there where it says more than the outcome."""

    outcome: Outcome | None
    reason: Reason | None = None


GOES_ON: Final = Ending(None)


def ending(fields: Mapping[str, str], first: str | None) -> Ending:
    """How the call ended for the customer, and whether that was an agent's or a machine's doing.

    `first` says who was rung first, `agent` or `customer`; None where a flow was called.
    """
    told = _ending(fields, first)
    if told.outcome is Outcome.ANSWERED and is_machine(fields, CUSTOMER_LEG.get(first or "", 0)):
        return Ending(Outcome.NO_ANSWER, Reason.ANSWERED_BY_MACHINE)
    return told


def has_agent_come(fields: Mapping[str, str], first: str | None, told: Ending) -> bool:
    """Whether it is certain that the agent took the call: they talked, or their leg says so."""
    if first is None or told.reason in AGENT_MISSES.values():
        return False
    is_their_leg = leg(fields, 1 - CUSTOMER_LEG.get(first, 1)).status == "completed"
    return told.outcome is Outcome.ANSWERED or (told.outcome is not None and is_their_leg)


def _ending(fields: Mapping[str, str], first: str | None) -> Ending:
    status = call_word(fields, "Status")
    if not status:
        return Ending(_told_by_passthru(fields))
    # `answered` and an agent's popup (`Dial`) tell of a call that is still going on.
    if word(fields, "EventType") in ("answered", "dial") or _is_unfinished_record(fields):
        return GOES_ON
    by_status = CALL_OUTCOMES.get(status)
    if by_status is None:
        return GOES_ON
    return _READ.get(first or "", _of_flow)(fields, by_status)


def _of_flow(fields: Mapping[str, str], by_status: Outcome) -> Ending:
    customer = leg(fields, 0)
    has_talked = customer.has_talked or is_some_time(conversation(fields))
    if has_talked and by_status is Outcome.ANSWERED:
        return Ending(by_status)
    return Ending(CALL_OUTCOMES.get(customer.status) or by_status)


def _of_agent_first(fields: Mapping[str, str], by_status: Outcome) -> Ending:
    agent, customer = leg(fields, 0), leg(fields, 1)
    if customer.is_named or customer.has_talked or is_some_time(conversation(fields)):
        # The customer's telephone rang, so it is their answer that counts.
        return Ending(CALL_OUTCOMES.get(customer.status) or by_status)
    if agent.status in AGENT_MISSES:
        return Ending(Outcome.FAILED, AGENT_MISSES[agent.status])
    return Ending(_unless_nobody_talked(fields, by_status, agent.is_named))


def _of_customer_first(fields: Mapping[str, str], by_status: Outcome) -> Ending:
    customer, agent = leg(fields, 0), leg(fields, 1)
    told = CALL_OUTCOMES.get(customer.status)
    if told is not None and told is not Outcome.ANSWERED:
        return Ending(told)
    has_talked = agent.has_talked or is_some_time(conversation(fields))
    if agent.status in AGENT_MISSES and not has_talked:
        # They waited for nobody: that is no success, whatever the status says.
        return Ending(Outcome.NO_ANSWER, AGENT_MISSES[agent.status])
    if agent.is_named or has_talked:
        return Ending(told or by_status)
    return Ending(_unless_nobody_talked(fields, by_status, customer.is_named))


def _unless_nobody_talked(fields: Mapping[str, str], by_status: Outcome, knows_legs: bool) -> Outcome:
    """The status, but for a `completed` call whose second telephone never rang: one side gave up first."""
    talked = conversation(fields)
    if by_status is Outcome.ANSWERED and knows_legs and talked and not is_some_time(talked):
        return Outcome.FAILED
    return by_status


_READ: Final[Mapping[str, Callable[[Mapping[str, str], Outcome], Ending]]] = {
    "agent": _of_agent_first,
    "customer": _of_customer_first,
}


def _told_by_passthru(fields: Mapping[str, str]) -> Outcome | None:
    """What a Passthru inside the callback's flow tells: there is no `Status`, but words of its own.

    Once the flow has connected, recorded or finished with the customer, they had answered; that
    an agent did not (`DialCallStatus`) is another matter. `incomplete` alone tells nothing: it is
    also sent while the customer's phone rings.
    """
    if call_word(fields, "DialCallStatus") in ("completed", "no-answer", "busy", "failed", "canceled"):
        return Outcome.ANSWERED
    if word(fields, "CallType") in ("completed", "client-hangup", "voicemail"):
        return Outcome.ANSWERED
    return CALL_OUTCOMES.get(call_word(fields, "CallStatus"))


def _is_unfinished_record(fields: Mapping[str, str]) -> bool:
    return "CallSid" not in fields and "Sid" in fields and read_instant(fields.get("EndTime")) is None
