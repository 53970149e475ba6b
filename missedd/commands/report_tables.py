"""Figures as tables: for a terminal with rich, for a spreadsheet as CSV. What they say is the same."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

from rich.console import Console
from rich.table import Table

from missedd.core.analytics.figures import busiest_hour
from missedd.core.api_types.analytics import FiguresJson
from missedd.exotel.sms_status_codes import describe_code

type FiguresByCampaign = Mapping[str, FiguresJson]
"""Figures by campaign."""
type Row = list[str | int | float | None]

DETAILS: Final = ("hour", "weekday", "day", "reason")

FIGURE_ROWS: Final = (
    ("Missed calls", "total_calls"),
    ("Unique callers", "unique_callers"),
    ("Recovered calls", "recovered"),
    ("Callbacks made", "callbacks_made"),
    ("Callbacks answered", "callbacks_answered"),
    ("Callback success rate", "callback_success_rate"),
    ("Agent misses", "agent_misses"),
    ("Call to callback, median", "seconds_to_callback.median"),
    ("Call to callback, 95 %", "seconds_to_callback.p95"),
    ("Call to answer, median", "seconds_to_answer.median"),
    ("Call to answer, 95 %", "seconds_to_answer.p95"),
    ("SMS sent", "sms_sent"),
    ("SMS delivered", "sms_delivered"),
    ("SMS delivery rate", "sms_delivery_rate"),
    ("Leads", "leads"),
    ("Conversions", "conversions"),
    ("Conversion rate", "conversion_rate"),
)
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


COLUMN_PER_CAMPAIGN: Final = (None, "hour", "day")
"""What shows each campaign in a column of its own."""


def tables(found: FiguresByCampaign, by: str | None, console: Console) -> Iterator[Table]:
    """For the terminal, or for a file: in several tables where the campaigns do not all fit side by side."""
    names = list(found)
    while by in COLUMN_PER_CAMPAIGN and names:
        count = len(names)
        while count > 1 and not _fits(_select(found, names[:count]), by, console):
            count -= 1
        yield table(_select(found, names[:count]), by)
        names = names[count:]
    if by == "weekday" and not _fits(found, by, console):
        yield from (_hours_by_weekday(name, each) for name, each in found.items())
    elif by not in COLUMN_PER_CAMPAIGN or not found:
        yield table(found, by)


def _select(found: FiguresByCampaign, names: Iterable[str]) -> FiguresByCampaign:
    return {name: found[name] for name in names}


def _fits(found: FiguresByCampaign, by: str | None, console: Console) -> bool:
    # Measured without a title, which may be broken; a figure or a name may not.
    drawn = table(found, by)
    return console.measure(drawn, options=console.options.update(width=10_000)).maximum <= console.width


def table(found: FiguresByCampaign, by: str | None) -> Table:
    """All of it in one table, however wide."""
    match by:
        case "hour":
            return _columns("Missed calls by hour of the day", found, _by_hour(found))
        case "day":
            return _columns("Missed calls by day", found, _by_day(found))
        case "weekday":
            return _weekdays(found)
        case "reason":
            return _reasons(found)
    rows = [
        [title, *(_format_figure(key, _value(each, key)) for each in found.values())]
        for title, key in FIGURE_ROWS
    ]
    peaks = (busiest_hour(each.peak_hours) for each in found.values())
    rows.append(["Peak hour", *("–" if each is None else f"{each:02d}:00" for each in peaks)])
    return _columns("Missed calls", found, rows)


def csv_rows(found: FiguresByCampaign, by: str | None) -> Iterator[Row]:
    """For a spreadsheet; empty where there is no value. Without `by` one row a campaign."""
    match by:
        case "hour":
            yield ["campaign", "hour", "calls"]
            for name, each in found.items():
                for hour in each.peak_hours:
                    yield [name, hour.hour, hour.calls]
        case "weekday":
            yield ["campaign", "weekday", "hour", "calls"]
            for name, each in found.items():
                for cell in each.weekday_hours:
                    yield [name, cell.weekday, cell.hour, cell.calls]
        case "day":
            yield ["campaign", "date", "calls"]
            for name, each in found.items():
                for day in each.by_day:
                    yield [name, day.date, day.calls]
        case "reason":
            yield ["campaign", "of", "outcome", "reason", "code", "count", "meaning"]
            for name, each in found.items():
                yield from ([name, *row] for row in _outcome_rows(each))
        case _:
            keys = [key for _, key in FIGURE_ROWS]
            yield ["campaign", *(key.replace(".", "_") for key in keys), "peak_hour"]
            for name, each in found.items():
                yield [name, *(_value(each, key) for key in keys), busiest_hour(each.peak_hours)]


def write_csv(rows: Iterable[Row]) -> None:
    csv.writer(sys.stdout).writerows(rows)


def _value(figures: FiguresJson, key: str) -> int | float | None:
    """A figure, or a part of one behind a dot."""
    value: int | float | None = attrgetter(key)(figures)
    return value


def _format_figure(key: str, value: float | None) -> str:
    if value is None:
        return "–"
    if "seconds" in key:
        return f"{value:.1f} s" if value < 600 else f"{value / 60:,.0f} min"
    return f"{value:.1%}" if isinstance(value, float) else f"{value:,}"


def _columns(title: str, found: FiguresByCampaign, rows: Iterable[Iterable[str]]) -> Table:
    """A column for each campaign."""
    drawn = Table(title=title)
    drawn.add_column("")
    for name in found:
        drawn.add_column(name, justify="right")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def _by_hour(found: FiguresByCampaign) -> Iterator[list[str]]:
    for hour in range(24):
        yield [f"{hour:02d}:00", *(f"{each.peak_hours[hour].calls:,}" for each in found.values())]


def _by_day(found: FiguresByCampaign) -> Iterator[list[str]]:
    calls = {name: {row.date: row.calls for row in each.by_day} for name, each in found.items()}
    for date in sorted(set().union(*calls.values())):
        yield [date, *(f"{of_campaign.get(date, 0):,}" for of_campaign in calls.values())]


def _weekdays(found: FiguresByCampaign) -> Table:
    """A row for each campaign and day: as many columns as a day has hours."""
    drawn = Table("", "", *(f"{hour:02d}" for hour in range(24)), title="Missed calls by weekday and hour")
    for column in drawn.columns[2:]:
        column.justify = "right"
    for name, each in found.items():
        for day, weekday in enumerate(WEEKDAYS):
            calls = (row.calls for row in each.weekday_hours[day * 24 : (day + 1) * 24])
            drawn.add_row(name if day == 0 else "", weekday, *(f"{n:,}" if n else "·" for n in calls))
        drawn.add_section()
    return drawn


def _hours_by_weekday(name: str, figures: FiguresJson) -> Table:
    """The same of one campaign, the other way round: for a terminal that is not so wide."""
    drawn = Table("", title=f"Missed calls of {name} by hour and weekday")
    for weekday in WEEKDAYS:
        drawn.add_column(weekday, justify="right")
    calls = [row.calls for row in figures.weekday_hours]
    for hour in range(24):
        drawn.add_row(f"{hour:02d}:00", *(f"{n:,}" if n else "·" for n in calls[hour::24]))
    return drawn


def _reasons(found: FiguresByCampaign) -> Table:
    drawn = Table(title="Calls, callbacks and SMS by reason")
    for title in ("", "of", "outcome", "reason", "code"):
        drawn.add_column(title, overflow="fold")
    drawn.add_column("count", justify="right")
    # Below the table, so that the reasons keep their room on a terminal of 80 columns.
    meanings: dict[str, str] = {}
    for name, each in found.items():
        for i, (what, outcome, reason, code, count, words) in enumerate(_outcome_rows(each)):
            title = "" if i else name
            drawn.add_row(title, str(what), str(outcome), str(reason), str(code or ""), f"{count:,}")
            if words:
                meanings[str(code)] = str(words)
        drawn.add_section()
    drawn.caption = "\n".join(f"{code}: {words}" for code, words in sorted(meanings.items())) or None
    drawn.caption_justify = "left"
    return drawn


def _outcome_rows(figures: FiguresJson) -> Iterator[Row]:
    for verdict in figures.verdicts:
        yield ["call", verdict.verdict, verdict.reason, None, verdict.calls, None]
    for ended in figures.callback_outcomes:
        yield ["callback", ended.outcome, ended.reason, None, ended.count, None]
    for sms in figures.sms_by_reason:
        words = describe_code(sms.code or "") or None
        yield ["sms", sms.outcome, sms.reason, sms.code, sms.count, words]
