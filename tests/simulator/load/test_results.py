"""Figures, goals, and the file for HdrHistogram's plotter."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from simulator.load.goals import LoadGoals
from simulator.load.results import LoadResults, load_results, print_results, write_hdr
from simulator.load.tally import LoadTally


def tally() -> LoadTally:
    """A thousand calls in ten seconds: latencies of 1 to 1,000 ms, ten refused, five lost, two dropped."""
    made = LoadTally()
    for n in range(1000):
        made.planned += 1
        made.count_call()
        made.record_sent(0.0005)
        made.record_latency((n + 1) / 1000)
        if n >= 5:
            made.record_reply(n, 503 if n < 15 else 200, "" if n < 15 else "accepted")
    made.failures["no reply within 15 s"] = 5
    made.planned += 2
    made.dropped = 2
    made.took_s = 10.0
    return made


def test_percentiles_are_right_to_three_digits() -> None:
    found = load_results(tally())
    assert found.latency_ms == {
        "p50": pytest.approx(500, rel=0.002),
        "p90": pytest.approx(900, rel=0.002),
        "p99": pytest.approx(990, rel=0.002),
        "p99.9": pytest.approx(999, rel=0.002),
        "max": 1000,
    }
    assert (found.planned, found.sent, found.answered, found.errors, found.dropped) == (
        1002,
        1000,
        995,
        15,
        2,
    )
    assert found.answered_rate == 99.5
    assert found.statuses == {"200": 985, "503": 10}
    assert found.verdicts == {"accepted": 985, "none": 10}


def test_only_a_2xx_is_an_acknowledgement() -> None:
    acknowledged = tally().acknowledged
    assert len(acknowledged) == 1000
    assert [n for n, was in enumerate(acknowledged) if not was] == list(range(15))


MET = LoadGoals(p99_s=1.0, errors=15, dropped=2, min_rate=99)


@pytest.mark.parametrize(
    ("goals", "words"),
    [
        (LoadGoals(), []),
        (MET, []),
        (LoadGoals(p99_s=0.025), ["p99 should be at most 25 ms; it was 990"]),
        (LoadGoals(errors=0), ["errors should be at most 0; there were 15"]),
        (LoadGoals(dropped=0), ["dropped should be at most 0; there were 2"]),
        (LoadGoals(min_rate=100), ["the rate should be at least 100/s; 99.5/s were answered"]),
    ],
)
def test_a_missed_goal_is_said(goals: LoadGoals, words: list[str]) -> None:
    missed = goals.missed_goals(load_results(tally()))
    assert len(missed) == len(words)
    assert all(each.startswith(start) for each, start in zip(missed, words, strict=True))


def test_nothing_answered_meets_no_goal_of_speed() -> None:
    assert LoadGoals(p99_s=1.0).missed_goals(load_results(LoadTally())) == [
        "p99 should be at most 1000 ms; nothing was answered"
    ]


def test_the_summary_names_every_figure() -> None:
    out = io.StringIO()
    print_results(Console(file=out, width=120), load_results(tally()))
    text = out.getvalue()
    for part in ("1,002 deliveries planned", "995 answered", "p99.9", "status: 200 985, 503 10", "dropped 2"):
        assert part in text


def test_a_verdict_is_no_markup() -> None:
    made, out = tally(), io.StringIO()
    made.verdicts["[/bold]"] = 1
    print_results(Console(file=out, width=120), load_results(made))
    assert "[/bold] 1" in out.getvalue()


def test_the_summary_of_nothing_is_no_trouble() -> None:
    found: LoadResults = load_results(LoadTally())
    print_results(Console(file=io.StringIO()), found)
    assert found.latency_ms == {}


def test_the_hdr_file_is_a_percentile_distribution_in_milliseconds(tmp_path: Path) -> None:
    file = tmp_path / "out.hdr"
    write_hdr(file, tally().latencies_us)
    lines = file.read_text().splitlines()
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    rows = [line.split() for line in lines[2:] if not line.startswith("#")]
    values, levels, totals = zip(*(map(float, row[:3]) for row in rows), strict=True)
    assert list(values) == sorted(values)
    assert list(levels) == sorted(levels)
    assert totals[-1] == 1000
    assert values[-1] == pytest.approx(1000, rel=0.001)
    comments = " ".join(line for line in lines if line.startswith("#"))
    assert "TotalCount     =     1000.000" in comments
    deviation = float(comments.partition("StdDeviation   =")[2].partition("]")[0])
    assert deviation == pytest.approx(288.7, rel=0.01)
