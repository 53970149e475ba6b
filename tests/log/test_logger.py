"""The log's vocabulary, its form, and that it keeps numbers and secrets to itself."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.model import Verdict
from missedd.log.library_warnings import LibraryLogBridge
from missedd.log.logger import Event, Logger, Style, create_logger
from missedd.log.throttle import MAX_LINES_PER_SECOND

AT = datetime(2026, 11, 23, 14, 30, 0, 123456, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Ticking:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


class Broken(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def lines_of(write: Callable[[Logger], object], **options: Any) -> list[dict[str, Any]]:
    stream = io.StringIO()
    write(create_logger(stream, **{"now": lambda: AT} | options))
    return [json.loads(each) for each in stream.getvalue().splitlines()]


def field(value: object, key: str = "text", **options: Any) -> Any:
    """What becomes of one field."""
    (line,) = lines_of(lambda log: log.info(Event.WEBHOOK_ADMITTED, **{key: value}), **options)
    return line[key]


def test_the_vocabulary_is_nouns_and_what_happened() -> None:
    for event in Event:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", event.value)
        assert event.name == event.value.replace(".", "_").upper()


def test_a_line_has_its_order() -> None:
    stream = io.StringIO()
    create_logger(stream, now=lambda: AT).warning(Event.BUDGET_PAUSED, kind="callback", pause_s=10.5)
    assert stream.getvalue() == (
        '{"event": "budget.paused", "level": "warning", "at": "2026-11-23T14:30:00.123Z", '
        '"kind": "callback", "pause_s": 10.5}\n'
    )


def test_time_is_whatever_it_is_told() -> None:
    stream = io.StringIO()
    instants = iter([AT, AT + timedelta(days=1)])
    log = create_logger(stream, now=lambda: next(instants))
    log.debug(Event.TIMER_CLOCK_STEPPED)  # filtered before anything else, the time included
    log.info(Event.DAEMON_STARTED)
    log.info(Event.DAEMON_STOPPED)
    assert [json.loads(each)["at"][:10] for each in stream.getvalue().splitlines()] == [
        "2026-11-23",
        "2026-11-24",
    ]


def test_only_an_event_is_logged() -> None:
    log = create_logger(io.StringIO(), now=lambda: AT)
    with pytest.raises(AttributeError):
        log.info("something happened")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["event", "level", "at"])
def test_a_lines_own_fields_are_not_taken(name: str) -> None:
    log = create_logger(io.StringIO(), now=lambda: AT)
    with pytest.raises(TypeError, match=name):
        log.info(Event.DAEMON_STARTED, **{name: "x"})


def test_binding_adds_fields_and_leaves_the_other_alone() -> None:
    def write(log: Logger) -> None:
        bound = log.bind(campaign="admissions", call_sid="a1")
        bound.bind(action=7).info(Event.ACTION_CLOSED, outcome="answered")
        bound.error(Event.REQUEST_FAILED)
        log.info(Event.DAEMON_STOPPED)

    first, second, third = lines_of(write)
    assert list(first)[3:] == ["campaign", "call_sid", "action", "outcome"]
    assert list(second)[3:] == ["campaign", "call_sid"]
    assert list(third)[3:] == []


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_levels(level: str, written: list[str]) -> None:
    def write(log: Logger) -> None:
        log.debug(Event.TIMER_CLOCK_STEPPED)
        log.info(Event.TIMER_CLOCK_STEPPED)
        log.write("warning", Event.TIMER_CLOCK_STEPPED)
        log.error(Event.TIMER_CLOCK_STEPPED)
        assert [each for each in ("debug", "info", "warning", "error") if log.is_enabled(each)] == written

    assert [each["level"] for each in lines_of(write, level=level)] == written


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (Verdict.ACCEPTED, "accepted"),
        (None, None),
        (True, True),
        (3.5, 3.5),
        (919876543210, 919876543210),  # an integer elsewhere is a count or an id
        (timedelta(minutes=1), 60.0),
        (AT.astimezone(timezone(timedelta(hours=5.5))), "2026-11-23T14:30:00.123Z"),
        (("a", 1), ["a", 1]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({"n": Verdict.DUPLICATE}, {"n": "duplicate"}),
        (ValueError("wrong"), "wrong"),
        ("नमस्ते", "नमस्ते"),
    ],
)
def test_values(written: object, read: object) -> None:
    assert field(written) == read


@pytest.mark.parametrize("key", ["number", "caller", "from", "to", "exophone"])
def test_a_numbers_field_shows_four_digits(key: str) -> None:
    for number in ("+919876543210", "09876543210", " 91 98765-43210", 9876543210, ["+919876543210"]):
        assert field(number, key) in ("…3210", ["…3210"])
    assert field({"x": {key: "09876543210"}}) == {"x": {key: "…3210"}}
    assert field(None, key) is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +919876543210 now", "to …3210 now"),
        ("+91 98765 43210", "…3210"),
        ("+91-98765-43210", "…3210"),
        ("From=%2B919876543210&To=x", "From=…3210&To=x"),
        ("dial 09876543210, 9876543210", "dial …3210, …3210"),
        ("sip:+919876543210@host", "sip:…3210@host"),
        ("+12345678901234567890", "…7890"),
        ("'+919876543210' 15 times", "'…3210' 15 times"),
        # What only looks like a number.
        ("d50e19c31e3911190a7e601f1056d69a", "d50e19c31e3911190a7e601f1056d69a"),
        ("2026-11-23T20:00:00.000+05:30", "2026-11-23T20:00:00.000+05:30"),
        ("in 0.12345678901 s", "in 0.12345678901 s"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
    ],
)
def test_numbers_in_texts(text: str, masked: str) -> None:
    assert field(text) == masked
    assert field([{"inner": text}]) == [{"inner": masked}]


def test_an_id_of_digits_survives() -> None:
    assert field("1234567890123", "call_sid") == "1234567890123"
    assert field("+919876543210", "call_sid") == "…3210"


@given(
    number=st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True),
    before=st.text(max_size=5),
    after=st.text(alphabet="abc ,.;)]'\"", max_size=5),
)
def test_no_full_number_leaves(number: str, before: str, after: str) -> None:
    stream = io.StringIO()
    log = create_logger(stream, now=lambda: AT)
    log.info(Event.WEBHOOK_REFUSED, detail=before + number + after, inner={"a": [number]})
    assert number[1:] not in stream.getvalue()


def test_secrets_are_covered_wherever_they_occur() -> None:
    stream = io.StringIO()
    log = create_logger(stream, now=lambda: AT, secrets=["hunter2", "hunter2-and-more", ""])
    log.bind(url="http://x/hunter2/y").error(
        Event.REQUEST_FAILED,
        detail={"hunter2": ["a hunter2-and-more b"]},
        caller="hunter2",
        exc_info=RuntimeError("refused hunter2 for +919876543210"),
    )
    assert "hunter2" not in stream.getvalue()
    assert "-and-more" not in stream.getvalue()
    assert "9876543210" not in stream.getvalue()
    line = json.loads(stream.getvalue())
    assert line["url"] == "http://x/[secret]/y"
    assert line["exception"] == "RuntimeError: refused [secret] for …3210"


def test_a_traceback_is_one_field() -> None:
    def write(log: Logger) -> None:
        try:
            raise RuntimeError("wrong")
        except RuntimeError as failure:
            log.error(Event.REQUEST_FAILED, exc_info=failure)

    (line,) = lines_of(write)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("RuntimeError: wrong")


@pytest.mark.parametrize(("stream", "is_json"), [(Terminal(), False), (io.StringIO(), True)])
def test_a_terminal_gets_readable_lines(stream: io.StringIO, is_json: bool) -> None:
    create_logger(stream, now=lambda: AT).info(Event.WEBHOOK_ADMITTED, caller="+919876543210")
    assert stream.getvalue().startswith("{") is is_json
    assert "webhook.admitted" in stream.getvalue()
    assert "3210" in stream.getvalue()
    assert "919876543210" not in stream.getvalue()


@pytest.mark.parametrize("style", ["json", "pretty"])
def test_the_style_may_be_told(style: Style) -> None:
    stream = io.StringIO()
    log = create_logger(stream, now=lambda: AT, style=style)
    log.error(Event.REQUEST_FAILED, exc_info=ValueError("wrong"))
    assert stream.getvalue().startswith("{") is (style == "json")
    assert "2026-11-23T14:30:00.123Z" in stream.getvalue()
    assert "ValueError: wrong" in stream.getvalue()


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
        log.log_throttled("warning", Event.WEBHOOK_REFUSED, "404", status=404)  # told at least so often
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


def test_what_libraries_say_is_said_in_our_log_and_counted() -> None:
    library = logging.Logger("trio.serve_listeners")

    def write(log: Logger) -> None:
        library.addHandler(LibraryLogBridge(log))
        library.info("of no interest")
        for wait_s in range(12):
            library.error("accept returned %s; retrying in %s seconds", "EMFILE", wait_s)

    lines = lines_of(write)
    assert [(each["event"], each["level"], each.get("times")) for each in lines] == [
        ("library.warned", "error", None),
        ("library.warned", "error", 10),
    ]
    assert lines[1]["library"] == "trio.serve_listeners"
    assert lines[1]["words"] == "accept returned EMFILE; retrying in 9 seconds"


@pytest.mark.parametrize(
    ("environ", "coloured"), [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)]
)
def test_a_terminal_without_colours(environ: dict[str, str], coloured: bool) -> None:
    stream = Terminal()
    create_logger(stream, now=lambda: AT, environ=environ).info(Event.DAEMON_STARTED)
    assert ("\x1b[" in stream.getvalue()) is coloured


def test_a_broken_stream_stops_nobody() -> None:
    closed = io.StringIO()
    log = create_logger(closed, now=lambda: AT)
    closed.close()
    log.info(Event.DAEMON_STARTED)
    broken = create_logger(Broken(), now=lambda: AT)
    broken.info(Event.DAEMON_STARTED)
    assert (log.lines_lost, broken.lines_lost) == (1, 1)


def test_two_loggers_know_nothing_of_each_other() -> None:
    one, other = io.StringIO(), io.StringIO()
    first = create_logger(one, now=lambda: AT, secrets=["hunter2"])
    create_logger(other, now=lambda: AT, level="error")
    first.info(Event.DAEMON_STARTED, text="hunter2")
    assert "[secret]" in one.getvalue()
    assert other.getvalue() == ""
