"""A call's story in plain words, from the facts that the API shows.

`explain_call` takes what `GET /api/v1/calls/{call_sid}` answers and adds nothing that is not in it: the
words are a view, the named reasons are the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from missedd.core.actions.details import displayed_details
from missedd.core.explain.number import format_local_time as _at
from missedd.core.model import SHAPE_RECOVERED, SHAPE_SMS_APPLET, Kind, Outcome, State, Verdict
from missedd.core.polls.voting_rules import describe_vote
from missedd.core.reasons import LANE_HOLD_REASONS, Reason

_VERDICTS = {
    Verdict.ACCEPTED: "It was accepted",
    Verdict.DUPLICATE: "It was a duplicate",
    Verdict.SUPPRESSED: "It was counted, and nobody is contacted",
    Verdict.NOT_MISSED: "It is no missed call",
    Verdict.NO_CALLER_ID: "It was kept, but there is nobody to call back",
    Verdict.UNKNOWN_EXOPHONE: "It was kept, but belongs to no campaign",
    Verdict.OWN_NUMBER: "It was kept, but nobody is called back",
}
_OUTCOMES = {
    Outcome.ANSWERED: "answered",
    Outcome.NO_ANSWER: "not answered",
    Outcome.BUSY: "busy",
    Outcome.FAILED: "failed",
    Outcome.DELIVERED: "delivered",
    Outcome.HANDED_OVER: "handed over to the provider's own SMS step",
    Outcome.RECORDED: "recorded",
    Outcome.REFUSED: "refused by the provider",
    Outcome.EXPIRED: "expired, nothing was sent",
    Outcome.DROPPED: "dropped, nothing was sent",
    Outcome.CANCELLED: "cancelled",
    Outcome.UNKNOWN: "unknown",
}


type DescribeCode = Callable[[str], str]
"""What a code means with which an SMS failed, or "". Codes are the provider's: whoever tells brings it."""


def explain_call(
    call: Mapping[str, Any],
    now: datetime,
    timezone: str,
    describe_code: DescribeCode = lambda code: "",
    remedies: Iterable[str] = (),
) -> str:
    """Tell one call: when it came, what was decided and why, what was done, what is still to come.

    Times are shown in `timezone`; `now` (aware) only decides whether a due instant is still ahead. `remedies`
    is what a person can do about it, told at the end.
    """
    zone = ZoneInfo(timezone)
    caller = call["from"] or "a withheld number"
    lines = [
        f"Call {call['call_sid']}",
        f"  {caller} rang {call['to'] or 'an unreadable number'} at {_at(call['called_at'], zone)}"
        + (f", campaign {call['campaign']}." if call["campaign"] else "."),
        f"  {_VERDICTS[Verdict(call['verdict'])]}: {_describe_reason(call['reason'])}.",
    ]
    if call.get("shape") == SHAPE_RECOVERED:
        lines.append("  No webhook told of it: it was found in Exotel's list of calls.")
    if call.get("shape") == SHAPE_SMS_APPLET:
        lines.append("  The SMS applet asked for its text before a webhook told of it.")
    if call.get("reached_at"):
        lines.append(
            f"  It was no missed call after all, as was told at {_at(call['reached_at'], zone)}: "
            f"{_describe_reason(call['reached_by'])}. What it was still owed ended."
        )
    if call.get("redeliveries"):
        lines.append(f"  Exotel delivered it {call['redeliveries']} more time(s); nothing new came of that.")
    if call.get("verification"):
        lines.append(f"  It proved the number, for the verification {call['verification']}.")
    if not call["actions"]:
        lines.append("  It led to no action.")
    for action in call["actions"]:
        lines += _action_lines(action, now, zone, describe_code)
    lines += [f"  What to do: {remedy}." for remedy in remedies]
    return "\n".join(lines)


def describe_sms_code(action: Mapping[str, Any], describe_code: DescribeCode) -> str:
    """The code with which an SMS failed, and what it means; "" where there is none."""
    code = action.get("code")
    if action["kind"] != Kind.SMS or action["outcome"] != Outcome.FAILED or not code:
        return ""
    words = describe_code(code)
    return f"Code {code}: {words}" if words else f"Code {code}"


def _action_lines(
    action: Mapping[str, Any], now: datetime, zone: ZoneInfo, describe_code: DescribeCode
) -> Iterator[str]:
    yield f"  {action['kind']} (action {action['id']}): {_describe_state(action, now, zone)}"
    if code := describe_sms_code(action, describe_code):
        yield f"    {code}."
    for fact in displayed_details(action):
        yield f"    {fact.label}: {fact.value}"
    if action.get("vote"):
        vote = action["vote"]
        yield f"    {describe_vote(vote['poll'], vote['option'], vote['standing'])}."
    for attempt in action["attempts"]:
        yield f"    {_describe_attempt(attempt, action['kind'], zone)}"
    for report in action.get("reports", ()):
        yield (
            f"    {report['source']} at {_at(report['received_at'], zone)}: "
            f"{report['status']}{f' {report["code"]}' if report.get('code') else ''}, {report['effect']}"
        )


def _describe_attempt(attempt: Mapping[str, Any], kind: str, zone: ZoneInfo) -> str:
    """One request and what came of it. That the provider took it says nothing of the customer."""
    result = {
        "accepted": f"the {'application' if kind == Kind.WEBHOOK else 'provider'} took it",
        "refused": "it was not taken",
        "unknown": "nobody knows whether it was taken",
        None: "no answer yet",
    }[attempt["result"]]
    came = f" at {_at(attempt['finished_at'], zone)}" if attempt["finished_at"] else ""
    code = f", {attempt['code']}" if attempt["code"] else ""
    why = f": {_describe_reason(attempt['reason'])}" if attempt["reason"] else ""
    said = f" ({attempt['message']})" if attempt.get("message") else ""
    return (
        f"attempt {attempt['number']} at {_at(attempt['started_at'], zone)}, {result}{came}{code}{why}{said}"
    )


def _describe_state(action: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> str:
    """Where an action stands, and what comes next if anything does."""
    why, due = _describe_reason(action["reason"]), _at(action["due_at"], zone)
    ahead = _parse_instant(action["due_at"]) > now
    match State(action["state"]):
        case State.DONE:
            return f"{_describe_outcome(action)}; {why}.{_describe_resolution(action, zone)}"
        case State.PLANNED:
            return f"to be sent at {due}; {why}." if ahead else f"due since {due}, waiting its turn; {why}."
        case State.HELD if action["reason"] == Reason.QUARANTINED:
            return f"held; {why}."
        case State.HELD if action["reason"] in (Reason.CAMPAIGN_PAUSED, *LANE_HOLD_REASONS):
            return f"held, due at {due}; {why}."
        case State.HELD:
            return f"held until {due}; {why}." if ahead else f"due since {due}, waiting its turn; {why}."
        case State.ATTEMPTING:
            return f"its request is out; {why}."
        case State.PLACED:
            return f"placed, its outcome is awaited; {why}."


def _describe_outcome(action: Mapping[str, Any]) -> str:
    if action["kind"] == Kind.VOTE and action["outcome"] == Outcome.REFUSED:
        return "kept, and refused by the poll's rules"
    return _OUTCOMES[Outcome(action["outcome"])]


def _describe_resolution(action: Mapping[str, Any], zone: ZoneInfo) -> str:
    if not action.get("settled_outcome"):
        return ""
    note = f" ({action['settled_note']})" if action["settled_note"] else ""
    outcome = _OUTCOMES[Outcome(action["settled_outcome"])]
    return f" An operator settled it at {_at(action['settled_at'], zone)}: {outcome}{note}."


def _describe_reason(reason: str) -> str:
    try:
        return f"{Reason(reason).words} [{reason}]"
    except ValueError:
        # Written by a newer missedd: the name alone still says something.
        return f"[{reason}]"


def _parse_instant(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)
