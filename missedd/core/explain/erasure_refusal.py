"""Why a number is not erased, in words: what stands in the way, until when, and what to do.

something is still owed to the number: callback 17 of campaign "shop" is held until 2026-11-24 09:30:00 IST,
as it waits for the next opening hour; erase the number once that is done
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from missedd.core.explain.number import format_local_time
from missedd.core.model import Kind, State
from missedd.core.people.erasure import ErasureRefusal
from missedd.core.policy import quoted
from missedd.core.reasons import Reason, describe_reason

REFUSAL_WORDS: Final = {
    ErasureRefusal.UNKNOWN: "nothing that could be erased is kept of this number",
    ErasureRefusal.STILL_OWED: "something is still owed to the number",
    ErasureRefusal.BEING_VERIFIED: "a verification of the number waits for its call",
    ErasureRefusal.POLL_OPEN: "it has voted in a poll that is still open, and could vote again",
    ErasureRefusal.ACTIVE_AGAIN: "something was heard of it lately",
}
_ERASE_LATER: Final = "erase the number once that is done"
_HOW_TO_END: Final = {
    Reason.QUARANTINED: "`missedd release` (or `--drop`) ends that",
    Reason.CAMPAIGN_PAUSED: "`missedd resume` ends that",
}


def describe_blocker(refusal: ErasureRefusal, blocker: Mapping[str, Any] | None, timezone: str) -> str:
    """A sentence without its full stop. `found` is what stands in the way, None where nothing does by now."""
    said = [REFUSAL_WORDS[refusal]]
    if blocker is not None:
        zone = ZoneInfo(timezone)
        match refusal:
            case ErasureRefusal.STILL_OWED:
                said.append("; ".join(_describe_open_action(blocker, zone)))
            case ErasureRefusal.BEING_VERIFIED:
                until = format_local_time(blocker["expires_at"], zone)
                whose = quoted(blocker["campaign"])
                said.append(
                    f"{blocker['id']} of campaign {whose}, until {until} at the latest; {_ERASE_LATER}"
                )
            case ErasureRefusal.POLL_OPEN:
                closes = format_local_time(blocker["closes_at"], zone)
                said.append(f"{quoted(blocker['poll'])} closes at {closes}; {_ERASE_LATER}")
            case _:
                pass
    return ": ".join(said)


def _describe_open_action(action: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    others = action["open"] - 1
    more = f", and {others} more" if others else ""
    whom = f"{action['kind']} {action['id']} of campaign {quoted(action['campaign'])}{more}"
    due = format_local_time(action["due_at"], zone)
    match State(action["state"]):
        case State.PLANNED:
            yield f"{whom}, is to go at {due}"
        case State.HELD:
            yield f"{whom}, is held, due at {due}, as {describe_reason(action['reason'])}"
        case _:
            looked = (
                f", and is looked up at {format_local_time(action['wake_at'], zone)}"
                if action["wake_at"]
                else ""
            )
            yield f"{whom}, is out: its outcome is awaited{looked}"
    if action["expires_at"]:
        yield f"at {format_local_time(action['expires_at'], zone)} it is too old and ends in any case"
    elif action["kind"] == Kind.WEBHOOK:
        yield "it ends when your application takes it, or after twelve tries in about four days"
    if action["reason"] in _HOW_TO_END:
        yield _HOW_TO_END[Reason(action["reason"])]
    yield _ERASE_LATER
