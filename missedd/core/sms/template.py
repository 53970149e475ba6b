"""The body of an SMS with fields, such as `body = "… you called at {time}"`.

A body has characters and fields; `{{` and `}}` are braces. Every value is at most `MAX_VARIABLE_LENGTH`
characters long, the length for which a `{#var#}` of a registered template may stand. The option of a vote is
the only exception, because the operator wrote it. So the greatest cost of a text is known before the first
SMS is sent.
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
from missedd.core.sms.segments import costliest_character, count_segments, is_gsm_text

MAX_VARIABLE_LENGTH: Final = 29
"""Characters for which a `{#var#}` may stand: fewer than 30, by the operators' rule."""

MAX_SMS_LENGTH: Final = 2_000
"""Characters of an SMS; Exotel refuses a longer one."""

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|.", re.DOTALL)


class BodyField(StrEnum):
    """What a text may contain about its call."""

    CALLER = "caller"
    TIME = "time"
    DATE = "date"
    OPENING = "opening"
    LEADERBOARD = "standing"
    OPTION = "option"


FIELD_EXAMPLES: Final[Mapping[BodyField, tuple[str, ...]]] = {
    BodyField.CALLER: ("+919800000001", "+" + "9" * 15),
    BodyField.TIME: ("10:31",),
    BodyField.DATE: ("1 May 2026", "23 Nov 2026"),
    BodyField.OPENING: ("09:30", "Tue 09:30", "Tue 24 Nov 09:30"),
    BodyField.LEADERBOARD: ("Asha 12, Ravi 10", "Asha 123456789, Ravi 12345678"),
    BodyField.OPTION: ("Asha",),
}
"""Values of each field: one of each shape, the longest last.

The operator chooses the options, and the leaderboard consists of them; `field_examples` has the campaign's
option.
"""


def field_examples(option: str | None) -> Mapping[BodyField, tuple[str, ...]]:
    """Values of each field for a campaign that votes for `option` (None: it has no votes)."""
    return {**FIELD_EXAMPLES, BodyField.OPTION: (option,)} if option else FIELD_EXAMPLES


@dataclass(frozen=True, slots=True)
class BodyToken:
    """One character of a text, or one field; `at` is its position in the body, from 1."""

    at: int
    content: str | BodyField


@dataclass(frozen=True, slots=True)
class InvalidPlaceholder:
    """Braces around something that is not a field, or a single brace (`name` is None)."""

    at: int
    name: str | None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """Everything on which a text may depend. `votes` are the counted votes of the campaign's poll, by option.
    Times are UTC."""

    caller: str
    called_at: datetime
    now: datetime
    votes: Mapping[str, int]


@lru_cache(maxsize=256)
def parse_body(body: str) -> tuple[tuple[BodyToken, ...], tuple[InvalidPlaceholder, ...]]:
    """The tokens of a body, and every placeholder in it that is invalid."""
    tokens: list[BodyToken] = []
    mistakes: list[InvalidPlaceholder] = []
    names = {each.value: each for each in BodyField}
    for match in _TOKEN.finditer(body):
        at, name = match.start() + 1, match[1]
        if name in names:
            tokens.append(BodyToken(at, names[name]))
        elif name is not None or match[0] in ("{", "}"):
            mistakes.append(InvalidPlaceholder(at, name))
        else:
            tokens.append(BodyToken(at, match[0][0]))
    return tuple(tokens), tuple(mistakes)


def fields_in(body: str) -> frozenset[BodyField]:
    """The fields of a body."""
    return frozenset(each.content for each in parse_body(body)[0] if isinstance(each.content, BodyField))


def render_body(sms: SmsPolicy, campaign: Campaign, policy: Policy, context: RenderContext) -> str:
    """The text that a caller gets. The configuration reader has checked that the body is valid."""
    return "".join(
        _field_value(each.content, campaign, policy, context)
        if isinstance(each.content, BodyField)
        else each.content
        for each in parse_body(sms.body)[0]
    )


def _field_value(field: BodyField, campaign: Campaign, policy: Policy, context: RenderContext) -> str:
    called_at = context.called_at.astimezone(ZoneInfo(policy.timezone))
    match field:
        case BodyField.CALLER:
            return context.caller
        case BodyField.TIME:
            return f"{called_at:%H:%M}"
        case BodyField.DATE:
            return f"{called_at.day} {_MONTHS[called_at.month - 1]} {called_at.year}"
        case BodyField.OPENING:
            return _opening_text(campaign, context.now)
        case BodyField.LEADERBOARD:
            poll = campaign.vote.poll if campaign.vote else ""
            known = dict.fromkeys(policy.poll_options(poll), 0)
            return leaderboard_text({**known, **context.votes})
        case BodyField.OPTION:
            return campaign.vote.option if campaign.vote else ""


def _opening_text(campaign: Campaign, now: datetime) -> str:
    """The first time from `now` on when the campaign is open, in its zone; "" if there is none within 60
    days.

    While the campaign is open, this is the present time: a text that was held until the opening must not name
    the next day.
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


def leaderboard_text(votes: Mapping[str, int]) -> str:
    """The options with the most votes, such as `Asha 12, Ravi 10`: as many as fit. The first option is
    shortened if it does not fit."""
    ranked = sorted(votes.items(), key=lambda each: (-each[1], each[0]))
    text = ""
    for option, count in ranked:
        longer = f"{text}, {option} {count}" if text else f"{_truncate(option, count)} {count}"
        if len(longer) > MAX_VARIABLE_LENGTH:
            break
        text = longer
    return text


def _truncate(option: str, count: int) -> str:
    return option[: MAX_VARIABLE_LENGTH - 1 - len(str(count))]


@dataclass(frozen=True, slots=True)
class LargestSms:
    """The largest size that the texts of a body can have; `is_fixed` if all of them have this size.

    `unicode_because` is the first token that may make the text unicode.
    """

    encoding: str
    characters: int
    units: int
    is_fixed: bool
    unicode_because: BodyToken | None


def largest_sms(body: str, option: str | None, options: Iterable[str]) -> LargestSms:
    """The largest size of the texts of `body`.

    `option` is the option for which the campaign's calls vote, `options` are all options of its poll.
    """
    tokens, _ = parse_body(body)
    samples = _longest_values(option or "", "".join(options))
    spelled = [
        samples[each.content] if isinstance(each.content, BodyField) else each.content for each in tokens
    ]
    longest = "".join(spelled)
    count = count_segments(longest)
    return LargestSms(
        encoding=count.encoding,
        characters=len(longest),
        units=count.units,
        is_fixed=not fields_in(body),
        unicode_because=next(
            (token for token, text in zip(tokens, spelled, strict=True) if not is_gsm_text(text)), None
        ),
    )


def _longest_values(option: str, letters: str) -> Mapping[BodyField, str]:
    """For each field a value of the greatest length and cost."""
    longest = {name: max(values, key=len) for name, values in FIELD_EXAMPLES.items()}
    return {
        **longest,
        BodyField.LEADERBOARD: costliest_character(letters + "9") * MAX_VARIABLE_LENGTH,
        BodyField.OPTION: option,
    }
