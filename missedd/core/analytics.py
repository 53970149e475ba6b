"""The figures of a campaign: what each is, and the arithmetic, over counts that the store made.

- `total_calls`: distinct missed calls to the campaign, whatever became of them: accepted,
  duplicate, suppressed and withheld-number ones. A redelivery is no call, a `not-missed` call is
  no missed call, and a call to an ExoPhone that no campaign has belongs to no figure.
- `unique_callers`: the numbers among them. A withheld number is a call without a caller.
- `callbacks_made`: callbacks that were placed: the request went out and may have rung. A retry is
  a callback of its own.
- `callbacks_answered`: those of them that ended `answered`.
- `callback_success_rate`: answered over those placed that have an outcome. One still ringing is
  in neither part, one whose outcome stayed `unknown` lowers the rate. What an operator settled
  since counts as what they said.
- `leads`: persons, each once a campaign, first seen in the period.
- `conversion_rate`: leads with a conversion over leads.
- `recovered`: those of the calls that no webhook told of; they were found in the provider's list.
- `peak_hours`: the calls by hour of the day, local time, all 24 of them.

Calls count at their own time, callbacks with the call that they answer, so that a period's
callbacks are those owed for the period's calls. Rates are fractions, None over nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from missedd.core.model import Outcome, State, Verdict

COUNTED: tuple[Verdict, ...] = (
    Verdict.ACCEPTED,
    Verdict.DUPLICATE,
    Verdict.SUPPRESSED,
    Verdict.NO_CALLER_ID,
)
"""The verdicts of a missed call to a campaign."""


QUARTER_S: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class ActionCount:
    """How many actions of one kind are in one state with one outcome, `placed` being a part of `count`."""

    kind: str
    state: str
    outcome: str | None
    count: int
    placed: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What the store counted for one period and one campaign, or all of them."""

    verdicts: Mapping[tuple[str, str], int]
    """Calls by (verdict, reason), the uncounted verdicts included."""
    unique_callers: int
    hours: Mapping[int, int]
    """Counted calls by hour of the day, local time; absent hours are 0."""
    actions: Iterable[ActionCount] = field(default_factory=tuple)
    leads: int = 0
    conversions: int = 0
    leads_converted: int = 0
    recovered: int = 0


def figures(counts: Counts) -> dict[str, Any]:
    """The figures as the API shows them: the contract's first, then what explains them."""
    actions = tuple(counts.actions)
    made = sum(each.placed for each in actions if each.kind == "callback")
    closed = sum(each.placed for each in actions if each.kind == "callback" and each.state == State.DONE)
    answered = _placed_with(actions, "callback", Outcome.ANSWERED)
    return {
        "total_calls": sum(n for (verdict, _), n in counts.verdicts.items() if verdict in COUNTED),
        "unique_callers": counts.unique_callers,
        "callbacks_made": made,
        "callbacks_answered": answered,
        "callback_success_rate": rate(answered, closed),
        "leads": counts.leads,
        "conversions": counts.conversions,
        "conversion_rate": rate(counts.leads_converted, counts.leads),
        "peak_hours": [{"hour": hour, "calls": counts.hours.get(hour, 0)} for hour in range(24)],
        "recovered": counts.recovered,
        "sms_sent": sum(each.placed for each in actions if each.kind == "sms"),
        "sms_delivered": _placed_with(actions, "sms", Outcome.DELIVERED),
        "verdicts": [
            {"verdict": verdict, "reason": reason, "calls": n}
            for (verdict, reason), n in sorted(counts.verdicts.items())
        ],
        "actions": [
            {"kind": each.kind, "state": each.state, "outcome": each.outcome, "count": each.count}
            for each in sorted(actions, key=lambda each: (each.kind, each.state, each.outcome or ""))
        ],
    }


def rate(part: int, whole: int) -> float | None:
    """A fraction, None over nothing."""
    return part / whole if whole else None


def _placed_with(actions: Iterable[ActionCount], kind: str, outcome: Outcome) -> int:
    return sum(each.placed for each in actions if each.kind == kind and each.outcome == outcome)


def peak(hours: Iterable[Mapping[str, int]]) -> int | None:
    """The hour with the most calls, the earliest of equals; None if there was no call."""
    busiest = max(hours, key=lambda each: each["calls"], default=None)
    return busiest["hour"] if busiest is not None and busiest["calls"] else None


def by_local_hour(quarters: Mapping[int, int], timezone: str) -> dict[int, int]:
    """Counts by hour of the day in `timezone`, of counts by quarter of an hour since 1970 UTC.

    Every offset from UTC in use is a whole number of quarters, so a quarter lies in one local
    hour, on either side of a change of the clocks too.
    """
    zone = ZoneInfo(timezone)
    hours: dict[int, int] = {}
    for quarter, n in quarters.items():
        hour = datetime.fromtimestamp(quarter * QUARTER_S, zone).hour
        hours[hour] = hours.get(hour, 0) + n
    return hours
