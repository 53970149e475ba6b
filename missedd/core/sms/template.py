"""Texts with named values: what `body = "… you rang at {time}"` says to this caller, now.

A body is characters and named values; `{{` and `}}` are braces. Whatever the poll or the hours are,
a value keeps within `LONGEST_VALUE`, which is what a `{#var#}` of a registered template may stand
for (only the option is the operator's own word). So the most that a text can cost is known before
the first one is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from missedd.core.policy import Campaign, Policy, SmsPolicy
from missedd.core.sms.segments import dearest, is_plain, segments

LONGEST_VALUE: Final = 29
"""Characters that a `{#var#}` may stand for: under 30, as the operators compare."""

LONGEST_TEXT: Final = 2_000
"""Characters of an SMS; beyond, Exotel refuses it."""

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|.", re.DOTALL)


class Name(StrEnum):
    """What a text may say of its call."""

    CALLER = "caller"
    TIME = "time"
    DATE = "date"
    OPENING = "opening"
    STANDING = "standing"
    OPTION = "option"


EXAMPLES: Final[Mapping[Name, tuple[str, ...]]] = {
    Name.CALLER: ("+919800000001", "+" + "9" * 15),
    Name.TIME: ("10:31",),
    Name.DATE: ("1 May 2026", "23 Nov 2026"),
    Name.OPENING: ("09:30", "Tue 09:30", "Tue 24 Nov 09:30"),
    Name.STANDING: ("Asha 12, Ravi 10", "Asha 123456789, Ravi 12345678"),
    Name.OPTION: ("Asha",),
}
"""Values of each name, one of every shape that it has, the longest last.

The option is the operator's own word, and the standing is made of such words: `examples` has the one.
"""


def examples(option: str | None) -> Mapping[Name, tuple[str, ...]]:
    """Values of each name in the texts of a campaign that votes for `option`, if it does."""
    return {**EXAMPLES, Name.OPTION: (option,)} if option else EXAMPLES


@dataclass(frozen=True, slots=True)
class Token:
    """One character of a text, or one named value; `at` is its place in the body, from 1."""

    at: int
    what: str | Name


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in braces that is no named value, or a brace by itself (`name` is None)."""

    at: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Occasion:
    """All that a text may depend on. `votes` are the tallies of the campaign's poll, by option."""

    caller: str
    called_at: datetime
    now: datetime
    votes: Mapping[str, int]


@lru_cache(maxsize=256)
def read_body(body: str) -> tuple[tuple[Token, ...], tuple[Mistake, ...]]:
    """The tokens of a body, and everything in it that cannot be read."""
    tokens: list[Token] = []
    mistakes: list[Mistake] = []
    names = {each.value: each for each in Name}
    for found in _TOKEN.finditer(body):
        at, name = found.start() + 1, found[1]
        if name in names:
            tokens.append(Token(at, names[name]))
        elif name is not None or found[0] in ("{", "}"):
            mistakes.append(Mistake(at, name))
        else:
            tokens.append(Token(at, found[0][0]))
    return tuple(tokens), tuple(mistakes)


def names_in(body: str) -> frozenset[Name]:
    """The named values of a body."""
    return frozenset(each.what for each in read_body(body)[0] if isinstance(each.what, Name))


def write(sms: SmsPolicy, campaign: Campaign, policy: Policy, occasion: Occasion) -> str:
    """The text that a caller gets; the configuration has seen to it that the body can be read."""
    return "".join(
        _value(each.what, campaign, policy, occasion) if isinstance(each.what, Name) else each.what
        for each in read_body(sms.body)[0]
    )


def _value(name: Name, campaign: Campaign, policy: Policy, occasion: Occasion) -> str:
    called_at = occasion.called_at.astimezone(ZoneInfo(policy.timezone))
    match name:
        case Name.CALLER:
            return occasion.caller
        case Name.TIME:
            return f"{called_at:%H:%M}"
        case Name.DATE:
            return f"{called_at.day} {_MONTHS[called_at.month - 1]} {called_at.year}"
        case Name.OPENING:
            return _opening(campaign, occasion.now)
        case Name.STANDING:
            poll = campaign.vote.poll if campaign.vote else ""
            known = dict.fromkeys(policy.options(poll), 0)
            return standing({**known, **occasion.votes})
        case Name.OPTION:
            return campaign.vote.option if campaign.vote else ""


def _opening(campaign: Campaign, now: datetime) -> str:
    """The first instant from `now` on at which the campaign is open; "" where none is in sight.

    While it is open that is now: a text held until then must not promise the day after.
    """
    opening = campaign.hours.next_opening(now) if campaign.hours else None
    if campaign.hours is None or opening is None:
        return ""
    zone = ZoneInfo(campaign.hours.timezone)
    local, today = opening.astimezone(zone), now.astimezone(zone).date()
    clock, day = f"{local:%H:%M}", _DAYS[local.weekday()]
    if local.date() == today:
        return clock
    if local.date() < today + timedelta(days=7):
        return f"{day} {clock}"
    return f"{day} {local.day} {_MONTHS[local.month - 1]} {clock}"


def standing(votes: Mapping[str, int]) -> str:
    """Who leads, as in `Asha 12, Ravi 10`: as many options as fit, the first cut rather than left out."""
    ranked = sorted(votes.items(), key=lambda each: (-each[1], each[0]))
    text = ""
    for option, count in ranked:
        longer = f"{text}, {option} {count}" if text else f"{_cut(option, count)} {count}"
        if len(longer) > LONGEST_VALUE:
            break
        text = longer
    return text


def _cut(option: str, count: int) -> str:
    return option[: LONGEST_VALUE - 1 - len(str(count))]


@dataclass(frozen=True, slots=True)
class Size:
    """The most that the texts of a body come to; `is_fixed` where all of them have this size.

    `forced_by` is the first token that may make them unicode.
    """

    encoding: str
    characters: int
    units: int
    is_fixed: bool
    forced_by: Token | None


def measure(body: str, option: str | None, options: Iterable[str]) -> Size:
    """How large the texts of `body` can get.

    `option` is what the campaign's calls vote for, `options` are all of its poll.
    """
    tokens, _ = read_body(body)
    samples = _samples(option or "", "".join(options))
    spelled = [samples[each.what] if isinstance(each.what, Name) else each.what for each in tokens]
    longest = "".join(spelled)
    found = segments(longest)
    return Size(
        encoding=found.encoding,
        characters=len(longest),
        units=found.units,
        is_fixed=not names_in(body),
        forced_by=next(
            (token for token, text in zip(tokens, spelled, strict=True) if not is_plain(text)), None
        ),
    )


def _samples(option: str, letters: str) -> Mapping[Name, str]:
    """A value of each name that is as long and as dear as any."""
    longest = {name: max(values, key=len) for name, values in EXAMPLES.items()}
    return {**longest, Name.STANDING: dearest(letters + "9") * LONGEST_VALUE, Name.OPTION: option}
