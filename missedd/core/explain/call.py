"""A call's story in plain words, from the facts that the API shows.

`story` takes what `GET /api/v1/calls/{call_sid}` answers and adds nothing that is not in it: the
words are a view, the named reasons are the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from missedd.core.actions.details import told
from missedd.core.explain.number import local_time as _at
from missedd.core.model import RECOVERED, SMS_APPLET, Kind, Outcome, State, Verdict
from missedd.core.polls.voting_rules import spell
from missedd.core.reasons import HOLDS_A_LANE, Reason

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


type WordsOfCode = Callable[[str], str]
"""What a code means with which an SMS failed, or "". Codes are the provider's: whoever tells brings it."""


def story(
    call: Mapping[str, Any],
    now: datetime,
    timezone: str,
    words_of_code: WordsOfCode = lambda code: "",
    to_do: Iterable[str] = (),
) -> str:
    """Tell one call: when it came, what was decided and why, what was done, what is still to come.

    Times are shown in `timezone`; `now` (aware) only decides whether a due instant is still ahead. `to_do`
    is what a person can do about it, told at the end.
    """
    zone = ZoneInfo(timezone)
    caller = call["from"] or "a withheld number"
    lines = [
        f"Call {call['call_sid']}",
        f"  {caller} rang {call['to'] or 'an unreadable number'} at {_at(call['called_at'], zone)}"
        + (f", campaign {call['campaign']}." if call["campaign"] else "."),
        f"  {_VERDICTS[Verdict(call['verdict'])]}: {_words(call['reason'])}.",
    ]
    if call.get("shape") == RECOVERED:
        lines.append("  No webhook told of it: it was found in Exotel's list of calls.")
    if call.get("shape") == SMS_APPLET:
        lines.append("  The SMS applet asked for its text before a webhook told of it.")
    if call.get("reached_at"):
        lines.append(
            f"  It was no missed call after all, as was told at {_at(call['reached_at'], zone)}: "
            f"{_words(call['reached_by'])}. What it was still owed ended."
        )
    if call.get("redeliveries"):
        lines.append(f"  Exotel delivered it {call['redeliveries']} more time(s); nothing new came of that.")
    if call.get("verification"):
        lines.append(f"  It proved the number, for the verification {call['verification']}.")
    if not call["actions"]:
        lines.append("  It led to no action.")
    for action in call["actions"]:
        lines += _action(action, now, zone, words_of_code)
    lines += [f"  What to do: {remedy}." for remedy in to_do]
    return "\n".join(lines)


def spell_code(action: Mapping[str, Any], words_of_code: WordsOfCode) -> str:
    """The code with which an SMS failed, and what it means; "" where there is none."""
    code = action.get("code")
    if action["kind"] != Kind.SMS or action["outcome"] != Outcome.FAILED or not code:
        return ""
    words = words_of_code(code)
    return f"Code {code}: {words}" if words else f"Code {code}"


def _action(
    action: Mapping[str, Any], now: datetime, zone: ZoneInfo, words_of_code: WordsOfCode
) -> Iterator[str]:
    yield f"  {action['kind']} (action {action['id']}): {_standing(action, now, zone)}"
    if code := spell_code(action, words_of_code):
        yield f"    {code}."
    for fact in told(action):
        yield f"    {fact.label}: {fact.value}"
    if action.get("vote"):
        vote = action["vote"]
        yield f"    {spell(vote['poll'], vote['option'], vote['standing'])}."
    for attempt in action["attempts"]:
        yield f"    {_attempt(attempt, action['kind'], zone)}"
    for report in action.get("reports", ()):
        yield (
            f"    {report['source']} at {_at(report['received_at'], zone)}: "
            f"{report['status']}{f' {report["code"]}' if report.get('code') else ''}, {report['effect']}"
        )


def _attempt(attempt: Mapping[str, Any], kind: str, zone: ZoneInfo) -> str:
    """One request and what came of it. That the provider took it says nothing of the customer."""
    result = {
        "accepted": f"the {'application' if kind == Kind.WEBHOOK else 'provider'} took it",
        "refused": "it was not taken",
        "unknown": "nobody knows whether it was taken",
        None: "no answer yet",
    }[attempt["result"]]
    came = f" at {_at(attempt['finished_at'], zone)}" if attempt["finished_at"] else ""
    code = f", {attempt['code']}" if attempt["code"] else ""
    why = f": {_words(attempt['reason'])}" if attempt["reason"] else ""
    said = f" ({attempt['message']})" if attempt.get("message") else ""
    return (
        f"attempt {attempt['number']} at {_at(attempt['started_at'], zone)}, {result}{came}{code}{why}{said}"
    )


def _standing(action: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> str:
    """Where an action stands, and what comes next if anything does."""
    why, due = _words(action["reason"]), _at(action["due_at"], zone)
    ahead = _parse(action["due_at"]) > now
    match State(action["state"]):
        case State.DONE:
            return f"{_outcome(action)}; {why}.{_settled(action, zone)}"
        case State.PLANNED:
            return f"to be sent at {due}; {why}." if ahead else f"due since {due}, waiting its turn; {why}."
        case State.HELD if action["reason"] == Reason.QUARANTINED:
            return f"held; {why}."
        case State.HELD if action["reason"] in (Reason.CAMPAIGN_PAUSED, *HOLDS_A_LANE):
            return f"held, due at {due}; {why}."
        case State.HELD:
            return f"held until {due}; {why}." if ahead else f"due since {due}, waiting its turn; {why}."
        case State.ATTEMPTING:
            return f"its request is out; {why}."
        case State.PLACED:
            return f"placed, its outcome is awaited; {why}."


def _outcome(action: Mapping[str, Any]) -> str:
    if action["kind"] == Kind.VOTE and action["outcome"] == Outcome.REFUSED:
        return "kept, and refused by the poll's rules"
    return _OUTCOMES[Outcome(action["outcome"])]


def _settled(action: Mapping[str, Any], zone: ZoneInfo) -> str:
    if not action.get("settled_outcome"):
        return ""
    note = f" ({action['settled_note']})" if action["settled_note"] else ""
    outcome = _OUTCOMES[Outcome(action["settled_outcome"])]
    return f" An operator settled it at {_at(action['settled_at'], zone)}: {outcome}{note}."


def _words(reason: str) -> str:
    try:
        return f"{Reason(reason).words} [{reason}]"
    except ValueError:
        # Written by a newer missedd: the name alone still says something.
        return f"[{reason}]"


def _parse(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)
