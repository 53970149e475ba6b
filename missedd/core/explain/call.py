"""The history of one call in plain words.

`explain_call` takes the answer of `GET /api/v1/calls/{call_sid}` and adds no fact to that answer. The named
reasons are the record; the words only explain them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from missedd.core.actions.details import displayed_details
from missedd.core.api_types.actions import ActionJson, AttemptJson
from missedd.core.api_types.calls import StoryJson
from missedd.core.explain.number import format_local_time as _at
from missedd.core.model import SHAPE_RECOVERED, SHAPE_SMS_APPLET, Kind, Outcome, State, Verdict
from missedd.core.polls.voting_rules import describe_vote
from missedd.core.reasons import LANE_HOLD_REASONS, Reason

_VERDICTS = {
    Verdict.ACCEPTED: "It was accepted",
    Verdict.DUPLICATE: "It was a duplicate",
    Verdict.SUPPRESSED: "It was counted, but nobody is contacted",
    Verdict.NOT_MISSED: "It is not a missed call",
    Verdict.NO_CALLER_ID: "It was recorded, but there is no number to call back",
    Verdict.UNKNOWN_EXOPHONE: "It was recorded, but it belongs to no campaign",
    Verdict.OWN_NUMBER: "It was recorded, but nobody is called back",
}
_OUTCOMES = {
    Outcome.ANSWERED: "answered",
    Outcome.NO_ANSWER: "not answered",
    Outcome.BUSY: "busy",
    Outcome.FAILED: "failed",
    Outcome.DELIVERED: "delivered",
    Outcome.HANDED_OVER: "handed over to the provider's SMS applet",
    Outcome.RECORDED: "recorded",
    Outcome.REFUSED: "refused by the provider",
    Outcome.EXPIRED: "expired; nothing was sent",
    Outcome.DROPPED: "dropped; nothing was sent",
    Outcome.CANCELLED: "cancelled",
    Outcome.UNKNOWN: "unknown",
}


type DescribeCode = Callable[[str], str]
"""Maps the provider's code of a failed SMS to its meaning, or to "" for an unknown code. Core does not know
the provider's codes, so the caller passes this function."""


def explain_call(
    call: StoryJson,
    now: datetime,
    timezone: str,
    describe_code: DescribeCode = lambda code: "",
    remedies: Iterable[str] = (),
) -> str:
    """Explain one call: when it came, what was decided and why, what was done, and what is still to come.

    `call` is the call as the API shows it. Times are printed in `timezone`. `now` (aware) decides only
    whether a due time is in the future. `remedies` are printed at the end: what a person can do.
    """
    zone = ZoneInfo(timezone)
    caller = call.from_ or "a withheld number"
    lines = [
        f"Call {call.call_sid}",
        f"  {caller} called {call.to or 'an unreadable number'} at {_at(call.called_at, zone)}"
        + (f", campaign {call.campaign}." if call.campaign else "."),
        f"  {_VERDICTS[Verdict(call.verdict)]}: {_describe_reason(call.reason)}.",
    ]
    if call.shape == SHAPE_RECOVERED:
        lines.append("  No webhook reported this call. missedd found it in Exotel's list of calls.")
    if call.shape == SHAPE_SMS_APPLET:
        lines.append("  The SMS applet asked for the text before a webhook reported the call.")
    if call.reached_at and call.reached_by:
        lines.append(
            f"  A later report at {_at(call.reached_at, zone)} showed that it was not a missed call: "
            f"{_describe_reason(call.reached_by)}. All actions still owed for it ended."
        )
    if call.redeliveries:
        lines.append(f"  Exotel delivered it {call.redeliveries} more time(s); that changed nothing.")
    if call.verification:
        lines.append(f"  It proved the number for the verification {call.verification}.")
    if not call.actions:
        lines.append("  It led to no action.")
    for action in call.actions:
        lines += _action_lines(action, now, zone, describe_code)
    lines += [f"  What to do: {remedy}." for remedy in remedies]
    return "\n".join(lines)


def describe_sms_code(action: ActionJson, describe_code: DescribeCode) -> str:
    """The code of a failed SMS and its meaning, such as `Code 23182: …`; "" if there is no code."""
    code = action.code
    if action.kind != Kind.SMS or action.outcome != Outcome.FAILED or not code:
        return ""
    words = describe_code(code)
    return f"Code {code}: {words}" if words else f"Code {code}"


def _action_lines(
    action: ActionJson, now: datetime, zone: ZoneInfo, describe_code: DescribeCode
) -> Iterator[str]:
    yield f"  {action.kind} (action {action.id}): {_describe_state(action, now, zone)}"
    if code := describe_sms_code(action, describe_code):
        yield f"    {code}."
    for detail in displayed_details(action):
        yield f"    {detail.label}: {detail.value}"
    if action.vote:
        vote = action.vote
        yield f"    {describe_vote(vote.poll, vote.option, vote.standing)}."
    for attempt in action.attempts:
        yield f"    {_describe_attempt(attempt, action.kind, zone)}"
    for report in action.reports:
        yield (
            f"    {report.source} at {_at(report.received_at, zone)}: "
            f"{report.status}{f' {report.code}' if report.code else ''}, {report.effect}"
        )


def _describe_attempt(attempt: AttemptJson, kind: str, zone: ZoneInfo) -> str:
    """One request and its result. "Accepted" means that the provider accepted the request; it says nothing
    about the customer."""
    result = {
        "accepted": f"accepted by the {'application' if kind == Kind.WEBHOOK else 'provider'}",
        "refused": "not accepted",
        "unknown": "it is not known whether it was accepted",
        None: "no answer yet",
    }[attempt.result]
    finished = f" at {_at(attempt.finished_at, zone)}" if attempt.finished_at else ""
    code = f", {attempt.code}" if attempt.code else ""
    why = f": {_describe_reason(attempt.reason)}" if attempt.reason else ""
    message = f" ({attempt.message})" if attempt.message else ""
    started = _at(attempt.started_at, zone)
    return f"attempt {attempt.number} at {started}: {result}{finished}{code}{why}{message}"


def _describe_state(action: ActionJson, now: datetime, zone: ZoneInfo) -> str:
    """The present state of an action, and what comes next."""
    why, due = _describe_reason(action.reason), _at(action.due_at, zone)
    ahead = _parse_instant(action.due_at) > now
    match State(action.state):
        case State.DONE:
            return f"{_describe_outcome(action)}; {why}.{_describe_resolution(action, zone)}"
        case State.PLANNED:
            return (
                f"will be sent at {due}; {why}."
                if ahead
                else f"due since {due}, waiting for its turn; {why}."
            )
        case State.HELD if action.reason == Reason.QUARANTINED:
            return f"held; {why}."
        case State.HELD if action.reason in (Reason.CAMPAIGN_PAUSED, *LANE_HOLD_REASONS):
            return f"held, due at {due}; {why}."
        case State.HELD:
            return f"held until {due}; {why}." if ahead else f"due since {due}, waiting for its turn; {why}."
        case State.ATTEMPTING:
            return f"its request was sent and not answered yet; {why}."
        case State.PLACED:
            return f"placed, waiting for its outcome; {why}."


def _describe_outcome(action: ActionJson) -> str:
    if action.kind == Kind.VOTE and action.outcome == Outcome.REFUSED:
        return "kept, but refused by the poll's rules"
    return _OUTCOMES[Outcome(str(action.outcome))]


def _describe_resolution(action: ActionJson, zone: ZoneInfo) -> str:
    if not action.settled_outcome or not action.settled_at:
        return ""
    note = f" ({action.settled_note})" if action.settled_note else ""
    outcome = _OUTCOMES[Outcome(action.settled_outcome)]
    return f" An operator entered the outcome at {_at(action.settled_at, zone)}: {outcome}{note}."


def _describe_reason(reason: str) -> str:
    try:
        return f"{Reason(reason).words} [{reason}]"
    except ValueError:
        # A newer missedd wrote this reason: its name alone still helps.
        return f"[{reason}]"


def _parse_instant(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)
