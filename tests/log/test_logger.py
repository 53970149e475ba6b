"""The form of a log line: order, levels, values, JSON or text."""

from __future__ import annotations

import io
import json
import logging
import re
from datetime import timedelta, timezone

import pytest

from missedd.core.model import Verdict
from missedd.log.library_warnings import LibraryLogBridge
from missedd.log.logger import Event, Logger, Style, create_logger
from tests.log.lines import AT, field, lines_of


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


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
    log.debug(Event.TIMER_CLOCK_STEPPED)  # filtered first, even before the time is read
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
