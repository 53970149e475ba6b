"""The analytics of a campaign: the definition of each figure, and the arithmetic over counts from the store.

- `total_calls`: distinct missed calls to the campaign with any result: accepted, duplicate, suppressed
  and withheld-number calls. Not counted: redeliveries, `not-missed` calls, and calls to an ExoPhone that
  no campaign has.
- `unique_callers`: the different numbers among them. A withheld number is a call without a caller.
- `callbacks_made`: callbacks that were placed: the request was sent and the phone may have rung. A retry
  is a separate callback. A callback that the agent missed is in no figure of callbacks.
- `callbacks_answered`: those of them that ended `answered`.
- `callback_success_rate`: answered callbacks over placed callbacks with an outcome. A callback that still
  rings is in neither part; an outcome that stayed `unknown` lowers the rate. If an operator entered the
  outcome later, that outcome counts.
- `agent_misses`: callbacks that failed because the agent, who was called first, did not answer: the
  caller's phone did not ring.
- `sms_sent`, `sms_delivered`, `sms_delivery_rate`: the same for SMS.
- `callback_outcomes`, `sms_by_reason`: all actions that ended, placed or not, by outcome and reason; an
  SMS also by the provider's code.
- `seconds_to_callback`: from the missed call until its first callback was sent, median and 95th
  percentile. Retries do not count, because the caller does not wait for them.
- `seconds_to_answer`: from the missed call until the callback that reached the caller was answered.
- `leads`: persons first seen in the period, each once per campaign.
- `conversions`: conversions dated in the period.
- `conversion_rate`: the period's leads with a conversion at any time, over the period's leads.
- `recovered`: calls that no webhook reported; they were found in the provider's list.
- `peak_hours`, `weekday_hours`, `by_day`: the calls by hour of the day, by hour of the week and by date,
  in local time.

Calls count at their own time. Callbacks and SMS count with the call that they answer, so the callbacks of a
period are those for the calls of the period. Rates are fractions; None over nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from missedd.core.analytics.hour_grid import HourGrid
from missedd.core.analytics.latency_buckets import percentile
from missedd.core.analytics.local_hours import calls_by_local_hour
from missedd.core.api_types.analytics import (
    ActionCountJson,
    EndedCallbacksJson,
    EndedSmsJson,
    FiguresJson,
    HourJson,
    VerdictsJson,
    WaitsJson,
)
from missedd.core.model import SHAPE_RECOVERED, Kind, Outcome, State, Verdict
from missedd.core.reasons import AGENT_MISS_REASONS

COUNTED_VERDICTS: tuple[Verdict, ...] = (
    Verdict.ACCEPTED,
    Verdict.DUPLICATE,
    Verdict.SUPPRESSED,
    Verdict.NO_CALLER_ID,
)
"""The verdicts of calls that count as missed calls to a campaign."""


class RollupsBehind(Exception):
    """The rollups are so far behind that the figures would take too long now; the text says how far."""


@dataclass(frozen=True, slots=True)
class PeriodCounts:
    """The store's counts for one period and one campaign, or for all campaigns."""

    facts: Mapping[str, int]
    """How often each fact of the view `facts` occurs, including verdicts that do not count as calls."""
    hours: Mapping[int, int]
    """Counted calls by hour of the grid; absent hours are 0."""
    unique_callers: int


@dataclass(slots=True)
class _ParsedFacts:
    """The facts, parsed and sorted by subject."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    recovered: int = 0
    actions: list[_ActionGroup] = field(default_factory=list)
    seconds: dict[str, dict[int, int]] = field(default_factory=dict)
    leads: int = 0
    converted: int = 0
    conversions: int = 0


@dataclass(frozen=True, slots=True)
class _ActionGroup:
    """A number of actions with equal properties."""

    kind: str
    state: str
    outcome: str | None
    reason: str
    code: str
    is_placed: bool
    count: int


def analytics_json(counts: PeriodCounts, grid: HourGrid, timezone: str) -> FiguresJson:
    """The figures as the API shows them."""
    facts = _parse_facts(counts.facts)
    all_callbacks = [each for each in facts.actions if each.kind == Kind.CALLBACK]
    callbacks = [each for each in all_callbacks if not is_agent_miss(each.outcome, each.reason)]
    sms = [each for each in facts.actions if each.kind == Kind.SMS]
    answered, delivered = _count_placed(callbacks, Outcome.ANSWERED), _count_placed(sms, Outcome.DELIVERED)
    by_hour, by_weekday, by_day = calls_by_local_hour(counts.hours, grid, timezone)
    return FiguresJson(
        total_calls=sum(n for (verdict, _), n in facts.calls.items() if verdict in COUNTED_VERDICTS),
        unique_callers=counts.unique_callers,
        callbacks_made=_count_placed(callbacks),
        callbacks_answered=answered,
        callback_success_rate=rate(answered, _count_ended(callbacks)),
        agent_misses=sum(each.count for each in all_callbacks) - sum(each.count for each in callbacks),
        leads=facts.leads,
        conversions=facts.conversions,
        conversion_rate=rate(facts.converted, facts.leads),
        peak_hours=by_hour,
        recovered=facts.recovered,
        sms_sent=_count_placed(sms),
        sms_delivered=delivered,
        sms_delivery_rate=rate(delivered, _count_ended(sms)),
        seconds_to_callback=_waits(facts.seconds.get("called-back", {})),
        seconds_to_answer=_waits(facts.seconds.get("answered", {})),
        callback_outcomes=[
            EndedCallbacksJson(str(outcome), str(reason), n)
            for (outcome, reason), n in _group_counts(_only_done(all_callbacks), ("outcome", "reason"))
        ],
        sms_by_reason=[
            EndedSmsJson(str(outcome), str(reason), code, n)
            for (outcome, reason, code), n in _group_counts(_only_done(sms), ("outcome", "reason", "code"))
        ],
        verdicts=[VerdictsJson(verdict, reason, n) for (verdict, reason), n in sorted(facts.calls.items())],
        actions=[
            ActionCountJson(str(kind), str(state), outcome, n)
            for (kind, state, outcome), n in _group_counts(facts.actions, ("kind", "state", "outcome"))
        ],
        weekday_hours=by_weekday,
        by_day=by_day,
    )


def rate(part: int, whole: int) -> float | None:
    """A fraction; None over nothing."""
    return part / whole if whole else None


def is_agent_miss(outcome: str | None, reason: object) -> bool:
    """Whether a callback ended before the caller's phone rang, because an agent did not answer."""
    return outcome == Outcome.FAILED and reason in AGENT_MISS_REASONS


def busiest_hour(hours: Iterable[HourJson]) -> int | None:
    """The hour with the most calls, the earliest one if several are equal; None without calls."""
    busiest = max(hours, key=lambda each: each.calls, default=None)
    return busiest.hour if busiest is not None and busiest.calls else None


def _parse_facts(facts: Mapping[str, int]) -> _ParsedFacts:
    """Parse the facts as the view `facts` encodes them. A count may be 0 after additions and subtractions."""
    parsed = _ParsedFacts()
    for fact, n in facts.items():
        if n == 0:
            continue
        match fact.split("|"):
            case ["call", verdict, reason, shape]:
                parsed.calls[verdict, reason] += n
                if shape == SHAPE_RECOVERED and verdict in COUNTED_VERDICTS:
                    parsed.recovered += n
            case ["action", kind, state, outcome, reason, code, placed]:
                parsed.actions.append(
                    _ActionGroup(kind, state, outcome or None, reason, code, placed == "placed", n)
                )
            case ["lead", converted]:
                parsed.leads += n
                parsed.converted += n if converted else 0
            case ["conversion"]:
                parsed.conversions += n
            case ["called-back" | "answered" as what, bucket]:
                parsed.seconds.setdefault(what, {})[int(bucket)] = n
            case _:
                raise AssertionError(f"unknown fact {fact!r}")
    return parsed


def _count_placed(actions: Iterable[_ActionGroup], outcome: Outcome | None = None) -> int:
    return sum(each.count for each in actions if each.is_placed and outcome in (None, each.outcome))


def _count_ended(actions: Iterable[_ActionGroup]) -> int:
    return _count_placed(_only_done(actions))


def _only_done(actions: Iterable[_ActionGroup]) -> list[_ActionGroup]:
    return [each for each in actions if each.state == State.DONE]


def _waits(counts: Mapping[int, int]) -> WaitsJson:
    return WaitsJson(median=percentile(counts, 50), p95=percentile(counts, 95))


def _group_counts(
    actions: Iterable[_ActionGroup], names: Sequence[str]
) -> Iterator[tuple[tuple[str | None, ...], int]]:
    """Counts by some properties, sorted; an absent property is None."""
    sums = Counter[tuple[str, ...]]()
    for group in actions:
        sums[tuple(getattr(group, name) or "" for name in names)] += group.count
    for key, n in sorted(sums.items()):
        yield tuple(value or None for value in key), n
