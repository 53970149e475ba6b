"""The history of a call as a timeline: what happened, in order, and what is still to come.

The timeline shows the same facts as `missedd.core.explain.call` and adds none; every reason that these facts
name is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from missedd.core.actions.details import DisplayedDetail, displayed_details
from missedd.core.api_types.actions import ActionJson, AttemptJson
from missedd.core.api_types.calls import StoryJson
from missedd.core.explain.call import DescribeCode, describe_sms_code
from missedd.core.model import SHAPE_RECOVERED, SHAPE_SMS_APPLET, Outcome, State, Verdict
from missedd.core.polls.voting_rules import describe_vote
from missedd.core.reasons import describe_reason

_VERDICTS: Final = {
    Verdict.ACCEPTED: "accepted",
    Verdict.DUPLICATE: "a duplicate",
    Verdict.SUPPRESSED: "counted, but nobody is contacted",
    Verdict.NOT_MISSED: "not a missed call",
    Verdict.NO_CALLER_ID: "recorded, but there is no number to call back",
    Verdict.UNKNOWN_EXOPHONE: "recorded, but it belongs to no campaign",
    Verdict.OWN_NUMBER: "recorded, but nobody is called back",
}
_STATE_WORDS: Final = {
    State.PLANNED: "is due",
    State.HELD: "is held",
    State.ATTEMPTING: "is being sent",
    State.PLACED: "was sent; its outcome is not known yet",
}
_SHAPE_WORDS: Final = {
    SHAPE_RECOVERED: "Found in Exotel's list of calls; no webhook reported it",
    SHAPE_SMS_APPLET: "The SMS applet asked for the text before a webhook reported the call",
}
GOOD_OUTCOMES: Final = frozenset({Outcome.ANSWERED, Outcome.DELIVERED, Outcome.HANDED_OVER, Outcome.RECORDED})
BAD_OUTCOMES: Final = frozenset(
    {Outcome.FAILED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REFUSED, Outcome.UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry of the timeline. `at` is RFC 3339 in UTC; `tone` is `good`, `bad`, `wait`, `out`, `none` or
    ""."""

    at: str
    title: str
    reason: str | None = None
    words: str = ""
    note: str = ""
    action: int | None = None
    tone: str = ""
    is_future: bool = False
    until: str | None = None
    """RFC 3339 in UTC: the action expires then."""
    facts: tuple[DisplayedDetail, ...] = ()


def build_timeline(call: StoryJson, describe_code: DescribeCode = lambda code: "") -> list[TimelineEntry]:
    """The entries for a call as `GET /api/v1/calls/{call_sid}` returns it; future entries come last."""
    entries = [each for action in call.actions for each in _action_entries(action, describe_code)]
    if call.reached_at and call.reached_by:
        entries.append(_answered_entry(call.reached_at, call.reached_by))
    return [*_arrival_entries(call), *sorted(entries, key=lambda each: (each.is_future, each.at))]


def tone_of(state: str, outcome: str | None) -> str:
    """The tone of an action in this state, which the console shows as a colour."""
    if outcome is None:
        return "wait" if state in (State.PLANNED, State.HELD) else "out"
    return "good" if outcome in GOOD_OUTCOMES else "bad" if outcome in BAD_OUTCOMES else "none"


def _arrival_entries(call: StoryJson) -> Iterator[TimelineEntry]:
    exophone = call.to or "a number that could not be read"
    yield TimelineEntry(call.called_at, f"{call.from_ or 'A withheld number'} called {exophone}")
    proved, again = call.verification, call.redeliveries
    notes = [
        _SHAPE_WORDS.get(call.shape),
        f"Exotel delivered it again {again} times" if again else None,
        f"It proved the number for the verification {proved}" if proved else None,
    ]
    verdict = Verdict(call.verdict)
    yield TimelineEntry(
        call.received_at,
        f"It was {_VERDICTS[verdict]}" if verdict is not Verdict.NOT_MISSED else "It is not a missed call",
        call.reason,
        describe_reason(call.reason),
        ". ".join(filter(None, notes)),
        tone="good" if verdict is Verdict.ACCEPTED else "none",
    )


def _answered_entry(at: str, by: str) -> TimelineEntry:
    title, note = "A later report showed that it was not a missed call", "All actions still owed for it ended"
    return TimelineEntry(at, title, by, describe_reason(by), note, tone="good")


def _action_entries(action: ActionJson, describe_code: DescribeCode) -> Iterator[TimelineEntry]:
    name, action_id = _action_label(action), action.id
    for attempt in action.attempts:
        yield _attempt_entry(attempt, name, action_id)
    for report in action.reports:
        source = "reported" if report.source == "report" else "found by a lookup"
        code = f" ({report.code})" if report.code else ""
        title = f"{name} {source}: {report.status}{code}"
        yield TimelineEntry(report.received_at, title, note=report.effect, action=action_id)
    entry = partial(
        TimelineEntry,
        reason=action.reason,
        words=describe_reason(action.reason),
        action=action_id,
        tone=tone_of(action.state, action.outcome),
        facts=tuple(displayed_details(action)),
    )
    if action.outcome is None:
        title = f"{name} {_STATE_WORDS[State(action.state)]}"
        yield entry(action.due_at, title, is_future=True, until=action.expires_at)
        return
    vote = action.vote
    note = describe_vote(vote.poll, vote.option, vote.standing) if vote else ""
    note = note or describe_sms_code(action, describe_code)
    yield entry(action.closed_at or action.due_at, f"{name}: {action.outcome}", note=note and f"{note}.")
    if action.settled_outcome and action.settled_at:
        title = f"{name}: outcome entered by an operator: {action.settled_outcome}"
        yield TimelineEntry(action.settled_at, title, note=action.settled_note or "", action=action_id)


def _attempt_entry(attempt: AttemptJson, name: str, action_id: int) -> TimelineEntry:
    result, reason = attempt.result, attempt.reason
    code = f" {attempt.code}" if attempt.code else ""
    return TimelineEntry(
        attempt.started_at,
        f"{name}, attempt {attempt.number}: {result or 'no answer yet'}{code}",
        reason,
        describe_reason(reason) if reason else "",
        attempt.message or "",
        action_id,
        {"accepted": "good", "refused": "bad", "unknown": "bad"}.get(result or "", "out"),
    )


def _action_label(action: ActionJson) -> str:
    again = f", retry {action.retry_index}" if action.retry_index else ""
    return f"{action.kind.capitalize() if action.kind != 'sms' else 'SMS'}{again}"
