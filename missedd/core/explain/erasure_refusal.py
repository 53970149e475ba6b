"""Why a number is not erased, in words: what prevents it, until when, and what to do.

an action is still owed to the number: callback 17 of campaign "shop" is held (it waits until the business
opens); it is due at 2026-11-24 09:30:00 IST; erase the number after that
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from missedd.core.explain.number import format_local_time
from missedd.core.model import Kind, State
from missedd.core.people.erasure import ErasureRefusal
from missedd.core.policy import quoted
from missedd.core.reasons import Reason, describe_reason

REFUSAL_WORDS: Final = {
    ErasureRefusal.UNKNOWN: "the database holds nothing about this number that could be erased",
    ErasureRefusal.STILL_OWED: "an action is still owed to the number",
    ErasureRefusal.BEING_VERIFIED: "a verification of the number waits for its call",
    ErasureRefusal.POLL_OPEN: "the number has voted in a poll that is still open, and could vote again",
    ErasureRefusal.ACTIVE_AGAIN: "the number was active again recently",
}
_ERASE_LATER: Final = "erase the number after that"
_HOW_TO_END: Final = {
    Reason.QUARANTINED: "`missedd release` (or `--drop`) ends the quarantine",
    Reason.CAMPAIGN_PAUSED: "`missedd resume` ends the pause",
}


@dataclass(frozen=True, slots=True)
class OpenAction:
    """The action for the number that lasts longest. Times are RFC 3339."""

    id: int
    kind: str
    campaign: str
    state: str
    reason: str
    due_at: str
    expires_at: str | None
    wake_at: str | None
    open: int
    """How many open actions there are, this one included."""


@dataclass(frozen=True, slots=True)
class PendingVerification:
    id: str
    campaign: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class OpenPoll:
    poll: str
    closes_at: str


type ErasureBlocker = OpenAction | PendingVerification | OpenPoll
"""What prevents the erasure of a number."""


def describe_blocker(refusal: ErasureRefusal, blocker: ErasureBlocker | None, timezone: str) -> str:
    """The refusal as a sentence without its full stop. `blocker` is what prevents the erasure, as the store
    returns it; None if nothing prevents it any more. Times are printed in `timezone`."""
    parts, zone = [REFUSAL_WORDS[refusal]], ZoneInfo(timezone)
    match blocker:
        case OpenAction():
            parts.append("; ".join(_describe_open_action(blocker, zone)))
        case PendingVerification():
            until = format_local_time(blocker.expires_at, zone)
            campaign = quoted(blocker.campaign)
            parts.append(f"{blocker.id} of campaign {campaign}, until {until} at the latest; {_ERASE_LATER}")
        case OpenPoll():
            closes = format_local_time(blocker.closes_at, zone)
            parts.append(f"{quoted(blocker.poll)} closes at {closes}; {_ERASE_LATER}")
    return ": ".join(parts)


def _describe_open_action(action: OpenAction, zone: ZoneInfo) -> Iterator[str]:
    others = action.open - 1
    more = f" and {others} more" if others else ""
    name = f"{action.kind} {action.id} of campaign {quoted(action.campaign)}{more}"
    due = format_local_time(action.due_at, zone)
    match State(action.state):
        case State.PLANNED:
            yield f"{name} will be sent at {due}"
        case State.HELD:
            yield f"{name} is held ({describe_reason(action.reason)})"
            yield f"it is due at {due}"
        case _:
            yield f"{name} was sent and its outcome is not known yet"
            if action.wake_at:
                yield f"the next lookup is at {format_local_time(action.wake_at, zone)}"
    if action.expires_at:
        yield f"it ends at {format_local_time(action.expires_at, zone)} at the latest, when it is too old"
    elif action.kind == Kind.WEBHOOK:
        yield "it ends when your application accepts it, or after twelve attempts in about four days"
    if action.reason in _HOW_TO_END:
        yield _HOW_TO_END[Reason(action.reason)]
    yield _ERASE_LATER
