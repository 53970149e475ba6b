"""Why a number is not erased, in words: what stands in the way, until when, and what to do.

something is still owed to the number: callback 17 of campaign "shop" is held until 2026-11-24 09:30:00 IST,
as it waits for the next opening hour; erase the number once that is done
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from missedd.core.explain.number import local_time
from missedd.core.model import Kind, State
from missedd.core.people.erasure import NotErased
from missedd.core.policy import in_quotes
from missedd.core.reasons import Reason, words_of

WORDS: Final = {
    NotErased.UNKNOWN: "nothing that could be erased is kept of this number",
    NotErased.STILL_OWED: "something is still owed to the number",
    NotErased.BEING_VERIFIED: "a verification of the number waits for its call",
    NotErased.POLL_OPEN: "it has voted in a poll that is still open, and could vote again",
    NotErased.HEARD_OF: "something was heard of it lately",
}
_AGAIN: Final = "erase the number once that is done"
_ENDED_BY: Final = {
    Reason.QUARANTINED: "`missedd release` (or `--drop`) ends that",
    Reason.CAMPAIGN_PAUSED: "`missedd resume` ends that",
}


def in_words(why: NotErased, found: Mapping[str, Any] | None, timezone: str) -> str:
    """A sentence without its full stop. `found` is what stands in the way, None where nothing does by now."""
    said = [WORDS[why]]
    if found is not None:
        zone = ZoneInfo(timezone)
        match why:
            case NotErased.STILL_OWED:
                said.append("; ".join(_action(found, zone)))
            case NotErased.BEING_VERIFIED:
                until = local_time(found["expires_at"], zone)
                whose = in_quotes(found["campaign"])
                said.append(f"{found['id']} of campaign {whose}, until {until} at the latest; {_AGAIN}")
            case NotErased.POLL_OPEN:
                closes = local_time(found["closes_at"], zone)
                said.append(f"{in_quotes(found['poll'])} closes at {closes}; {_AGAIN}")
            case _:
                pass
    return ": ".join(said)


def _action(found: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    others = found["open"] - 1
    more = f", and {others} more" if others else ""
    whom = f"{found['kind']} {found['id']} of campaign {in_quotes(found['campaign'])}{more}"
    due = local_time(found["due_at"], zone)
    match State(found["state"]):
        case State.PLANNED:
            yield f"{whom}, is to go at {due}"
        case State.HELD:
            yield f"{whom}, is held, due at {due}, as {words_of(found['reason'])}"
        case _:
            looked = f", and is looked up at {local_time(found['wake_at'], zone)}" if found["wake_at"] else ""
            yield f"{whom}, is out: its outcome is awaited{looked}"
    if found["expires_at"]:
        yield f"at {local_time(found['expires_at'], zone)} it is too old and ends in any case"
    elif found["kind"] == Kind.WEBHOOK:
        yield "it ends when your application takes it, or after twelve tries in about four days"
    if found["reason"] in _ENDED_BY:
        yield _ENDED_BY[Reason(found["reason"])]
    yield _AGAIN
