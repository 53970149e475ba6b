"""Repeated log lines: written once, counted, and summed up."""

from __future__ import annotations

from datetime import datetime, timedelta

from missedd.log.logger import Event, Logger
from missedd.log.throttle import MAX_LINES_PER_SECOND
from tests.log.lines import AT, lines_of


class Ticking:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


def test_what_is_repeated_is_said_once_and_then_counted() -> None:
    def write(log: Logger) -> None:
        for _ in range(1_005):
            log.log_throttled("error", Event.STORE_COMMIT_FAILED, "disk", error="full")
        log.log_throttled("error", Event.STORE_COMMIT_FAILED, "other")
        assert log.reset_throttle(Event.STORE_COMMIT_FAILED, "disk") == 1_005
        assert log.reset_throttle(Event.STORE_COMMIT_FAILED, "disk") == 0
        log.bind(unit="claim").log_throttled("error", Event.STORE_COMMIT_FAILED, "disk")

    lines = lines_of(write)
    assert [each.get("times") for each in lines] == [None, 10, 100, 1000, None, 1005, None]
    assert lines[1]["error"] == "full"
    assert lines[5] == {
        "event": "log.repeats_ended",
        "level": "info",
        "at": "2026-11-23T14:30:00.123Z",
        "of": "store.commit_failed",
        "times": 1005,
        "since": "2026-11-23T14:30:00.123Z",
        "with": {"error": "full"},
    }


def test_what_is_repeated_is_heard_each_time() -> None:
    heard: list[object] = []

    def write(log: Logger) -> None:
        log.add_listener(lambda event, fields: heard.append(fields["n"]))
        for n in range(12):
            log.log_throttled("error", Event.ATTEMPT_REFUSED, "401", n=n)

    assert [each["n"] for each in lines_of(write)] == [0, 9]
    assert heard == list(range(12))


def test_what_is_repeated_begins_anew_after_an_hour_without_it() -> None:
    clock = Ticking()

    def write(log: Logger) -> None:
        for _ in range(15):
            log.log_throttled("warning", Event.WEBHOOK_REFUSED, "404", status=404)
        clock.at += timedelta(minutes=59)
        log.log_throttled("warning", Event.WEBHOOK_REFUSED, "404", status=404)
        log.write_counts()
        clock.at += timedelta(minutes=59)
        log.log_throttled("warning", Event.WEBHOOK_REFUSED, "404", status=404)  # reported at least this often
        clock.at += timedelta(minutes=60)
        log.log_throttled("warning", Event.WEBHOOK_REFUSED, "404", status=404)
        log.log_throttled("warning", Event.WEBHOOK_REFUSED, "404", status=404)
        clock.at += timedelta(minutes=61)
        log.write_counts()
        log.write_counts()

    told = [(each["event"], each.get("times")) for each in lines_of(write, now=clock)]
    assert told == [
        ("webhook.refused", None),
        ("webhook.refused", 10),
        ("webhook.refused", 17),
        ("webhook.refused", None),
        ("log.repeats_ended", 2),
    ]


def test_counting_takes_no_endless_memory() -> None:
    clock = Ticking()

    def write(log: Logger) -> None:
        for each in range(3_000):
            clock.at += timedelta(milliseconds=10)
            log.log_throttled("error", Event.REQUEST_FAILED, str(each))
        assert log.reset_throttle(Event.REQUEST_FAILED, "0") == 0
        assert log.reset_throttle(Event.REQUEST_FAILED, "2999") == 1

    assert len(lines_of(write, now=clock)) == 3_000


def test_an_event_has_so_many_lines_a_second_and_the_others_are_told_together() -> None:
    clock = Ticking()
    heard: list[Event] = []

    def write(log: Logger) -> None:
        log.add_listener(lambda event, _fields: heard.append(event))
        for _ in range(MAX_LINES_PER_SECOND):
            log.info(Event.ACTION_CLOSED)
        assert not log.has_room(Event.ACTION_CLOSED)
        assert log.has_room(Event.ACTION_HELD)
        log.error(Event.ACTION_CLOSED)
        log.info(Event.ACTION_CLOSED)
        log.info(Event.ACTION_HELD)
        log.write_counts()  # the second is not over
        clock.at += timedelta(seconds=1)
        log.info(Event.ACTION_CLOSED)
        log.write_counts()

    lines = lines_of(write, now=clock)
    closed = [each for each in lines if each["event"] == "action.closed"]
    assert (len(closed), len(heard)) == (MAX_LINES_PER_SECOND + 1, MAX_LINES_PER_SECOND + 4)
    left_out = [each for each in lines if each["event"] == "log.lines_left_out"]
    assert [(each["of"], each["lines"], each["level"]) for each in left_out] == [
        ("action.closed", 2, "error")
    ]
    assert lines.index(left_out[0]) == len(lines) - 2


def test_what_was_only_counted_is_told_at_the_end() -> None:
    def write(log: Logger) -> None:
        for _ in range(5):
            log.log_throttled("warning", Event.WEBHOOK_REFUSED, "404", status=404)
        for _ in range(MAX_LINES_PER_SECOND + 3):
            log.info(Event.ACTION_CLOSED)
        log.close()

    lines = lines_of(write)
    assert [(each["event"], each["of"]) for each in lines[-2:]] == [
        ("log.lines_left_out", "action.closed"),
        ("log.repeats_ended", "webhook.refused"),
    ]
    assert (lines[-2]["lines"], lines[-1]["times"], lines[-1]["with"]) == (3, 5, {"status": 404})
