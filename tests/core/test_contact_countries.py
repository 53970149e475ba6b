"""Which countries a campaign contacts: when a call is decided, and again just before an action is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.decide import decide
from missedd.core.admission.gates import judge
from missedd.core.admission.judgement import Candidate, Close, Go
from missedd.core.contact_countries import (
    ANY_COUNTRY,
    CallerCalls,
    Countries,
    ExcludedCallers,
    excluded_callers,
    may_contact,
    suggested_config_line,
)
from missedd.core.model import Kind, Outcome, Plan, State, Verdict
from missedd.core.reasons import Reason
from tests.core.campaigns import CALLER, EXOPHONE, NOON, call, everything, minutes, policy, seconds

UNITED_STATES, JAMAICA, EMIRATES = "+12125550123", "+18765551234", "+971501234567"
SATELLITE, SIERRA_LEONE = "+881612345678", "+23276123456"
DROPPED = Close(Outcome.DROPPED, Reason.FOREIGN_NUMBER)


@pytest.mark.parametrize(
    ("countries", "number", "exophone", "expected"),
    [
        (None, CALLER, EXOPHONE, True),
        (None, EMIRATES, EXOPHONE, False),
        (None, SATELLITE, EXOPHONE, False),
        (None, EMIRATES, "+97143317777", True),
        (None, CALLER, "+97143317777", False),
        # One calling code, two countries: a callback to Jamaica would cost the price for Jamaica.
        (None, UNITED_STATES, "+13125550100", True),
        (None, JAMAICA, "+13125550100", False),
        (None, SIERRA_LEONE, "+80012345678", True),  # an ExoPhone without a country excludes nobody
        (frozenset({"AE"}), EMIRATES, EXOPHONE, True),
        (frozenset({"AE"}), CALLER, EXOPHONE, False),  # the list replaces the default
        (frozenset({"IN", "AE"}), CALLER, EXOPHONE, True),
        (frozenset({"US"}), JAMAICA, EXOPHONE, False),
        (frozenset({"US", "JM"}), JAMAICA, EXOPHONE, True),
        (frozenset({"IN", "AE"}), SATELLITE, EXOPHONE, False),
        (ANY_COUNTRY, SATELLITE, EXOPHONE, True),
        (ANY_COUNTRY, SIERRA_LEONE, EXOPHONE, True),
    ],
)
def test_whom_these_countries_include(
    countries: Countries, number: str, exophone: str, expected: bool
) -> None:
    assert may_contact(countries, number, exophone) is expected


@pytest.mark.parametrize("caller", [SATELLITE, SIERRA_LEONE, "+252612345678", "+5352123456"])
def test_a_caller_from_abroad_is_recorded_and_told_of_and_not_contacted(caller: str) -> None:
    of = policy(everything())
    admission = decide(call(caller=caller), of, None, CallerHistory(), NOON + seconds(1))
    assert admission.verdict is Verdict.ACCEPTED
    ends = {each.kind: (each.state, each.outcome, each.reason) for each in admission.actions}
    dropped = (State.DONE, Outcome.DROPPED, Reason.FOREIGN_NUMBER)
    assert (ends[Kind.CALLBACK], ends[Kind.SMS]) == (dropped, dropped)
    assert ends[Kind.WEBHOOK][0] is State.PLANNED
    for kind in (Kind.LEAD, Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY):
        assert ends[kind][:2] == (State.DONE, Outcome.RECORDED)


@pytest.mark.parametrize("kind", [Kind.CALLBACK, Kind.SMS])
def test_countries_are_judged_again_when_it_would_be_sent(kind: Kind) -> None:
    candidate = Candidate(
        kind, "admissions", Plan.OPEN, NOON + minutes(15), number=EMIRATES, exophone=EXOPHONE
    )
    for countries, expected in (
        (None, DROPPED),
        (frozenset({"IN", "AE"}), Go()),
        (frozenset({"IN"}), DROPPED),
        (ANY_COUNTRY, Go()),
    ):
        assert judge(candidate, policy(everything(countries=countries)), NOON) == expected
    assert judge(replace(candidate, kind=Kind.WEBHOOK), policy(everything()), NOON) == Go()


def test_who_is_left_out_is_counted_by_country() -> None:
    found = excluded_callers(
        CallerCalls("shop", None, EXOPHONE, caller, calls)
        for caller, calls in [
            (CALLER, 90),
            (EMIRATES, 3),
            ("+971501234568", 1),
            (SATELLITE, 2),
            (SIERRA_LEONE, 1),
        ]
    )
    assert found == [
        ExcludedCallers("shop", "AE", 2, 4),
        ExcludedCallers("shop", "SL", 1, 1),
        ExcludedCallers("shop", None, 1, 2),
    ]
    assert [str(each) for each in found] == [
        "2 callers from AE (4 calls)",
        "1 caller from SL (1 call)",
        "1 caller of no country (2 calls)",
    ]


@pytest.mark.parametrize(
    ("countries", "missing", "line"),
    [
        (None, ["AE"], 'countries = ["AE", "IN"]'),
        (frozenset({"SG"}), ["AE", "IN"], 'countries = ["AE", "IN", "SG"]'),
        (None, ["AE", None], 'countries = "any"'),
    ],
)
def test_the_line_that_keeps_them(countries: Countries, missing: list[str | None], line: str) -> None:
    assert (
        suggested_config_line(
            countries, [EXOPHONE], [ExcludedCallers("shop", each, 1, 1) for each in missing]
        )
        == line
    )
