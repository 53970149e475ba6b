"""What a text says to its caller, and that no value outgrows what a template's variable may hold."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.business_hours import Holidays
from missedd.core.policy import VotePolicy
from missedd.core.sms.segments import segments
from missedd.core.sms.template import (
    LONGEST_VALUE,
    Mistake,
    Name,
    Occasion,
    Size,
    Token,
    measure,
    names_in,
    read_body,
    standing,
    write,
)
from tests.core.campaigns import CALLER, campaign, ist, minutes, office, policy, sms

NIGHT = ist("2026-11-23 22:15")
"""A Monday; the office opens on Tuesday at 09:30."""


def said(body: str, now: datetime = NIGHT, votes: dict[str, int] | None = None, **changes: Any) -> str:
    mine = campaign(**{"hours": office(), "vote": VotePolicy("singer", "Asha")} | changes)
    other = campaign(name="ravi", exophones=("+918047120009",), vote=VotePolicy("singer", "Ravi"))
    occasion = Occasion(CALLER, NIGHT, now, votes or {})
    return write(sms(body=body), mine, policy(mine, other), occasion)


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
        ("2026-11-24 12:34", "12:34"),  # open: what was held until now must not promise tomorrow
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
    assert standing(votes) == text


@given(st.dictionaries(st.text(min_size=1, max_size=40), st.integers(0, 10**9), min_size=1, max_size=6))
def test_a_standing_always_says_who_leads_and_always_fits(votes: dict[str, int]) -> None:
    text = standing(votes)
    assert len(text) <= LONGEST_VALUE
    assert str(max(votes.values())) in text


def test_what_cannot_be_read_is_told_with_its_place() -> None:
    tokens, mistakes = read_body("a {tiem} {#var#} } {")
    assert mistakes == (Mistake(3, "tiem"), Mistake(10, "#var#"), Mistake(18, None), Mistake(20, None))
    assert "".join(each.what for each in tokens) == "a    "


@given(st.text(alphabet="ab{}", max_size=30))
def test_doubling_the_braces_of_any_text_gives_it_back(text: str) -> None:
    tokens, mistakes = read_body(text.replace("{", "{{").replace("}", "}}"))
    assert not mistakes
    assert "".join(each.what for each in tokens) == text


def test_places_count_the_body_as_it_is_written() -> None:
    tokens, _ = read_body("{{{time}!")
    assert tokens == (Token(1, "{"), Token(3, Name.TIME), Token(9, "!"))


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("Thank you.", Size("plain", 10, 1, True, None)),
        ("Now: {standing}", Size("plain", 34, 1, False, None)),
        ("Curly ’ quote", Size("unicode", 13, 1, True, Token(7, "’"))),
        ("a" * 150 + "{caller}", Size("plain", 166, 2, False, None)),
    ],
)
def test_the_most_a_body_comes_to(body: str, size: Size) -> None:
    assert measure(body, "Asha", ("Asha", "Ravi")) == size


def test_an_option_can_make_a_text_unicode() -> None:
    size = measure("Now: {standing}", "Asha", ("Asha", "रवि"))
    assert (size.encoding, size.forced_by) == ("unicode", Token(6, Name.STANDING))
    assert measure("You: {option}", "रवि", ("Asha", "रवि")).forced_by == Token(6, Name.OPTION)


@given(
    st.lists(st.sampled_from([*(f"{{{each}}}" for each in Name), "a", "€", "’", "{{"]), max_size=12),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda count: NIGHT + minutes(count)),
    st.dictionaries(st.sampled_from(["Asha", "रवि", "Me€ra"]), st.integers(0, 10**8)),
)
def test_no_text_is_larger_than_what_was_measured(
    pieces: list[str], now: datetime, votes: dict[str, int]
) -> None:
    body = "".join(pieces)
    mine = campaign(hours=office(), vote=VotePolicy("singer", "Asha"))
    text = write(sms(body=body), mine, policy(mine), Occasion(CALLER, now, now, votes))
    size, found = measure(body, "Asha", ("Asha", "रवि", "Me€ra")), segments(text)
    assert len(text) <= size.characters
    assert found.units <= size.units
    assert size.encoding == "unicode" or found.encoding == "plain"
    assert size.is_fixed == (not names_in(body))
