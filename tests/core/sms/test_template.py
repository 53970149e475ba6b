"""The text that a caller gets, and that no value is longer than a template's variable allows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.business_hours import Holidays
from missedd.core.policy import VotePolicy
from missedd.core.sms.segments import count_segments
from missedd.core.sms.template import (
    MAX_VARIABLE_LENGTH,
    BodyField,
    BodyToken,
    InvalidPlaceholder,
    LargestSms,
    RenderContext,
    fields_in,
    largest_sms,
    leaderboard_text,
    parse_body,
    render_body,
)
from tests.core.campaigns import CALLER, campaign, ist, minutes, office, policy, sms

NIGHT = ist("2026-11-23 22:15")
"""A Monday; the office opens on Tuesday at 09:30."""


def said(body: str, now: datetime = NIGHT, votes: dict[str, int] | None = None, **changes: Any) -> str:
    mine = campaign(**{"hours": office(), "vote": VotePolicy("singer", "Asha")} | changes)
    other = campaign(name="ravi", exophones=("+918047120009",), vote=VotePolicy("singer", "Ravi"))
    occasion = RenderContext(CALLER, NIGHT, now, votes or {})
    return render_body(sms(body=body), mine, policy(mine, other), occasion)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Thank you.", "Thank you."),
        ("{caller} rang at {time} on {date}.", f"{CALLER} rang at 22:15 on 23 Nov 2026."),
        ("{{{time}}} {{}} {{time}}", "{22:15} {} {time}"),
        ("You voted for {option}.\n", "You voted for Asha.\n"),
        ("{standing}", "Asha 0, Ravi 0"),
        ("{time}{time}", "22:1522:15"),
    ],
)
def test_what_a_body_says(body: str, text: str) -> None:
    assert said(body) == text


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-23 22:15", "Tue 09:30"),
        ("2026-11-24 09:29", "09:30"),
        ("2026-11-24 12:34", "12:34"),  # open: a text that was held until now must not name tomorrow
        ("2026-11-27 18:30", "Sat 10:00"),
        ("2026-11-28 14:00", "Mon 09:30"),
    ],
)
def test_the_next_opening(now: str, opening: str) -> None:
    assert said("{opening}", ist(now)) == opening


def test_an_opening_a_week_ahead_has_its_date_and_one_out_of_sight_is_empty() -> None:
    days = frozenset(date(2026, 11, day) for day in range(24, 31))
    assert said("{opening}", hours=office(Holidays(None, days))) == "Tue 1 Dec 09:30"
    never = frozenset(date.fromordinal(date(2026, 11, 24).toordinal() + i) for i in range(90))
    assert said("{opening}", hours=office(Holidays(None, never))) == ""
    assert said("{opening}", hours=None) == ""


@pytest.mark.parametrize(
    ("votes", "text"),
    [
        ({}, ""),
        ({"Asha": 12, "Ravi": 10}, "Asha 12, Ravi 10"),
        ({"Asha": 3, "Ravi": 40}, "Ravi 40, Asha 3"),
        ({"Ravi": 5, "Asha": 5}, "Asha 5, Ravi 5"),
        ({"Asha": 1200, "Ravi": 1100, "Meera": 900, "Dev": 1}, "Asha 1200, Ravi 1100"),
        ({"An option with quite a long name": 1234567}, "An option with quite  1234567"),
    ],
)
def test_the_standing_is_cut_to_what_fits(votes: dict[str, int], text: str) -> None:
    assert leaderboard_text(votes) == text


@given(st.dictionaries(st.text(min_size=1, max_size=40), st.integers(0, 10**9), min_size=1, max_size=6))
def test_a_standing_always_says_who_leads_and_always_fits(votes: dict[str, int]) -> None:
    text = leaderboard_text(votes)
    assert len(text) <= MAX_VARIABLE_LENGTH
    assert str(max(votes.values())) in text


def test_what_cannot_be_read_is_told_with_its_place() -> None:
    tokens, mistakes = parse_body("a {tiem} {#var#} } {")
    assert mistakes == (
        InvalidPlaceholder(3, "tiem"),
        InvalidPlaceholder(10, "#var#"),
        InvalidPlaceholder(18, None),
        InvalidPlaceholder(20, None),
    )
    assert "".join(each.content for each in tokens) == "a    "


@given(st.text(alphabet="ab{}", max_size=30))
def test_doubling_the_braces_of_any_text_gives_it_back(text: str) -> None:
    tokens, mistakes = parse_body(text.replace("{", "{{").replace("}", "}}"))
    assert not mistakes
    assert "".join(each.content for each in tokens) == text


def test_places_count_the_body_as_it_is_written() -> None:
    tokens, _ = parse_body("{{{time}!")
    assert tokens == (BodyToken(1, "{"), BodyToken(3, BodyField.TIME), BodyToken(9, "!"))


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("Thank you.", LargestSms("plain", 10, 1, True, None)),
        ("Now: {standing}", LargestSms("plain", 34, 1, False, None)),
        ("Curly ’ quote", LargestSms("unicode", 13, 1, True, BodyToken(7, "’"))),
        ("a" * 150 + "{caller}", LargestSms("plain", 166, 2, False, None)),
    ],
)
def test_the_most_a_body_comes_to(body: str, size: LargestSms) -> None:
    assert largest_sms(body, "Asha", ("Asha", "Ravi")) == size


def test_an_option_can_make_a_text_unicode() -> None:
    size = largest_sms("Now: {standing}", "Asha", ("Asha", "रवि"))
    assert (size.encoding, size.unicode_because) == ("unicode", BodyToken(6, BodyField.LEADERBOARD))
    assert largest_sms("You: {option}", "रवि", ("Asha", "रवि")).unicode_because == BodyToken(
        6, BodyField.OPTION
    )


@given(
    st.lists(st.sampled_from([*(f"{{{each}}}" for each in BodyField), "a", "€", "’", "{{"]), max_size=12),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda count: NIGHT + minutes(count)),
    st.dictionaries(st.sampled_from(["Asha", "रवि", "Me€ra"]), st.integers(0, 10**8)),
)
def test_no_text_is_larger_than_what_was_measured(
    pieces: list[str], now: datetime, votes: dict[str, int]
) -> None:
    body = "".join(pieces)
    mine = campaign(hours=office(), vote=VotePolicy("singer", "Asha"))
    text = render_body(sms(body=body), mine, policy(mine), RenderContext(CALLER, now, now, votes))
    size, found = largest_sms(body, "Asha", ("Asha", "रवि", "Me€ra")), count_segments(text)
    assert len(text) <= size.characters
    assert found.units <= size.units
    assert size.encoding == "unicode" or found.encoding == "plain"
    assert size.is_fixed == (not fields_in(body))
