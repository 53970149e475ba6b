"""The figures of a campaign: what each is, and the arithmetic, over counts that the store made.

- `total_calls`: distinct missed calls to the campaign, whatever became of them: accepted,
  duplicate, suppressed and withheld-number ones. A redelivery is no call, a `not-missed` call is
  no missed call, and a call to an ExoPhone that no campaign has belongs to no figure.
- `unique_callers`: the numbers among them. A withheld number is a call without a caller.
- `callbacks_made`: callbacks that were placed: the request went out and may have rung. A retry is
  a callback of its own. One that the agent missed is none, and in no other figure of callbacks.
- `callbacks_answered`: those of them that ended `answered`.
- `callback_success_rate`: answered over those placed that have an outcome. One still ringing is
  in neither part, one whose outcome stayed `unknown` lowers the rate. What an operator settled
  since counts as what they said.
- `agent_misses`: callbacks that failed as the agent, who was rung first, did not come: the caller's
  telephone did not ring.
- `sms_sent`, `sms_delivered`, `sms_delivery_rate`: likewise of SMS.
- `callback_outcomes`, `sms_by_reason`: all that ended, whether they were placed or not, by outcome
  and reason; an SMS also by the provider's code.
- `seconds_to_callback`: from the missed call to its first callback's going out, median and 95th
  percentile. A retry is not a caller's wait.
- `seconds_to_answer`: from the missed call to the answer of the callback that reached the caller.
- `leads`: persons, each once a campaign, first seen in the period.
- `conversions`: those that came about in the period.
- `conversion_rate`: the period's leads with a conversion, whenever, over its leads.
- `recovered`: those of the calls that no webhook told of; they were found in the provider's list.
- `peak_hours`, `weekday_hours`, `by_day`: the calls by hour of the day, by hour of the week and by
  date, local time.

Calls count at their own time, callbacks and SMS with the call that they answer, so that a period's
callbacks are those owed for the period's calls. Rates are fractions, None over nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from missedd.core.analytics.hour_grid import HourGrid
from missedd.core.analytics.latency_buckets import percentile
from missedd.core.analytics.local_hours import calls_by_local_hour
from missedd.core.model import SHAPE_RECOVERED, Kind, Outcome, State, Verdict
from missedd.core.reasons import AGENT_MISS_REASONS

COUNTED_VERDICTS: tuple[Verdict, ...] = (
    Verdict.ACCEPTED,
    Verdict.DUPLICATE,
    Verdict.SUPPRESSED,
    Verdict.NO_CALLER_ID,
)
"""The verdicts of a missed call to a campaign."""

PERCENTILES: Final = {"median": 50, "p95": 95}


class RollupsBehind(Exception):
    """The summaries are far behind, so that figures would take too long just now; the text says how far."""


@dataclass(frozen=True, slots=True)
class PeriodCounts:
    """What the store counted for one period and one campaign, or all of them."""

    facts: Mapping[str, int]
    """How often each fact of the view `facts` holds; the uncounted verdicts included."""
    hours: Mapping[int, int]
    """Counted calls by hour of the grid; absent hours are 0."""
    unique_callers: int


@dataclass(slots=True)
class _ParsedFacts:
    """Facts taken apart, by what they are about."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    recovered: int = 0
    actions: list[_ActionGroup] = field(default_factory=list)
    seconds: dict[str, dict[int, int]] = field(default_factory=dict)
    leads: int = 0
    converted: int = 0
    conversions: int = 0


@dataclass(frozen=True, slots=True)
class _ActionGroup:
    """How many actions are alike."""

    kind: str
    state: str
    outcome: str | None
    reason: str
    code: str
    is_placed: bool
    count: int


def analytics_json(counts: PeriodCounts, grid: HourGrid, timezone: str) -> dict[str, Any]:
    """The figures as the API shows them: the contract's first, then what explains them."""
    facts = _parse_facts(counts.facts)
    all_callbacks = [each for each in facts.actions if each.kind == Kind.CALLBACK]
    callbacks = [each for each in all_callbacks if not is_agent_miss(each.outcome, each.reason)]
    texts = [each for each in facts.actions if each.kind == Kind.SMS]
    answered, delivered = _count_placed(callbacks, Outcome.ANSWERED), _count_placed(texts, Outcome.DELIVERED)
    by_hour, by_weekday, by_day = calls_by_local_hour(counts.hours, grid, timezone)
    return {
        "total_calls": sum(n for (verdict, _), n in facts.calls.items() if verdict in COUNTED_VERDICTS),
        "unique_callers": counts.unique_callers,
        "callbacks_made": _count_placed(callbacks),
        "callbacks_answered": answered,
        "callback_success_rate": rate(answered, _count_ended(callbacks)),
        "agent_misses": sum(each.count for each in all_callbacks) - sum(each.count for each in callbacks),
        "leads": facts.leads,
        "conversions": facts.conversions,
        "conversion_rate": rate(facts.converted, facts.leads),
        "peak_hours": by_hour,
        "recovered": facts.recovered,
        "sms_sent": _count_placed(texts),
        "sms_delivered": delivered,
        "sms_delivery_rate": rate(delivered, _count_ended(texts)),
        "seconds_to_callback": _percentiles(facts.seconds.get("called-back", {})),
        "seconds_to_answer": _percentiles(facts.seconds.get("answered", {})),
        "callback_outcomes": _group_counts(_only_done(all_callbacks), ("outcome", "reason")),
        "sms_by_reason": _group_counts(_only_done(texts), ("outcome", "reason", "code")),
        "verdicts": [
            {"verdict": verdict, "reason": reason, "calls": n}
            for (verdict, reason), n in sorted(facts.calls.items())
        ],
        "actions": _group_counts(facts.actions, ("kind", "state", "outcome")),
        "weekday_hours": by_weekday,
        "by_day": by_day,
    }


def rate(part: int, whole: int) -> float | None:
    """A fraction, None over nothing."""
    return part / whole if whole else None


def is_agent_miss(outcome: str | None, reason: object) -> bool:
    """Whether a callback ended so that only an agent's telephone had rung."""
    return outcome == Outcome.FAILED and reason in AGENT_MISS_REASONS


def busiest_hour(hours: Iterable[Mapping[str, int]]) -> int | None:
    """The hour with the most calls, the earliest of equals; None if there was no call."""
    busiest = max(hours, key=lambda each: each["calls"], default=None)
    return busiest["hour"] if busiest is not None and busiest["calls"] else None


def _parse_facts(facts: Mapping[str, int]) -> _ParsedFacts:
    """As the view `facts` puts them together. Sums of what came and went may be 0."""
    found = _ParsedFacts()
    for fact, n in facts.items():
        if n == 0:
            continue
        match fact.split("|"):
            case ["call", verdict, reason, shape]:
                found.calls[verdict, reason] += n
                if shape == SHAPE_RECOVERED and verdict in COUNTED_VERDICTS:
                    found.recovered += n
            case ["action", kind, state, outcome, reason, code, placed]:
                found.actions.append(
                    _ActionGroup(kind, state, outcome or None, reason, code, placed == "placed", n)
                )
            case ["lead", converted]:
                found.leads += n
                found.converted += n if converted else 0
            case ["conversion"]:
                found.conversions += n
            case ["called-back" | "answered" as what, bucket]:
                found.seconds.setdefault(what, {})[int(bucket)] = n
            case _:
                raise AssertionError(f"{fact!r} is no fact that is known here")
    return found


def _count_placed(actions: Iterable[_ActionGroup], outcome: Outcome | None = None) -> int:
    return sum(each.count for each in actions if each.is_placed and outcome in (None, each.outcome))


def _count_ended(actions: Iterable[_ActionGroup]) -> int:
    return _count_placed(_only_done(actions))


def _only_done(actions: Iterable[_ActionGroup]) -> list[_ActionGroup]:
    return [each for each in actions if each.state == State.DONE]


def _percentiles(counts: Mapping[int, int]) -> dict[str, float | None]:
    return {name: percentile(counts, percent) for name, percent in PERCENTILES.items()}


def _group_counts(actions: Iterable[_ActionGroup], names: Sequence[str]) -> list[dict[str, Any]]:
    """Counts by some of their properties, in order; an absent one is None."""
    sums = Counter[tuple[str, ...]]()
    for each in actions:
        sums[tuple(getattr(each, name) or "" for name in names)] += each.count
    return [
        {name: value or None for name, value in zip(names, key, strict=True)} | {"count": n}
        for key, n in sorted(sums.items())
    ]
