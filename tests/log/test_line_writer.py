"""Lines written in the background: in order, without waiting for anybody, and losses are reported."""

from __future__ import annotations

import fcntl
import io
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import pytest

from missedd.log.line_writer import BackgroundWriter, is_journal
from missedd.log.logger import Event, create_logger
from missedd.log.throttle import MAX_LINES_PER_SECOND

AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LINE = "x" * 999


@dataclass
class Pipe:
    """A pipe whose reader does not read by itself."""

    reading: int
    writing: int
    closed: set[int] = field(default_factory=set)

    def close(self, end: int) -> None:
        if end not in self.closed:
            self.closed.add(end)
            os.close(end)

    def read_to_the_end(self) -> list[str]:
        self.close(self.writing)
        with open(self.reading, encoding="utf-8", closefd=False) as stream:
            return stream.read().splitlines()

    def read_until(self, wanted: str) -> str:
        found = b""
        while wanted.encode() not in found or not found.endswith(b"\n"):
            found += os.read(self.reading, 65_536)
        return found.decode()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe(*os.pipe())
    yield made
    made.close(made.reading)
    made.close(made.writing)


def lost(count: int) -> str:
    return f"lost {count}"


def test_lines_come_in_their_order_and_the_last_ones_too(pipe: Pipe) -> None:
    lines = BackgroundWriter(pipe.writing, lost)
    for n in range(50):
        lines.write_line(f"line {n}")
    lines.close()
    assert lines.lines_lost == 0
    assert pipe.read_to_the_end() == [f"line {n}" for n in range(50)]


def test_a_reader_that_does_not_read_costs_lines_and_is_told_how_many(pipe: Pipe) -> None:
    lines = BackgroundWriter(pipe.writing, lost, max_bytes=20_000)
    for _ in range(500):
        lines.write_line(LINE)
    assert 0 < lines.lines_lost < 500
    count = lines.lines_lost
    read = pipe.read_until(f"lost {count}\n")
    assert read.splitlines() == [LINE] * (500 - count) + [f"lost {count}"], "it stands where they would"
    lines.write_line("the next")
    lines.close()
    assert pipe.read_to_the_end() == ["the next"]
    assert lines.lines_lost == count


def test_a_line_that_is_longer_than_the_buffer_is_lost_and_told(pipe: Pipe) -> None:
    lines = BackgroundWriter(pipe.writing, lost, max_bytes=500)
    lines.write_line(LINE)
    assert pipe.read_until("\n") == "lost 1\n"
    lines.close()


def test_nobody_waits_for_ever_at_the_end(pipe: Pipe) -> None:
    lines = BackgroundWriter(pipe.writing, lost, max_bytes=200_000)
    for _ in range(200):
        lines.write_line(LINE)
    closing = threading.Thread(target=lines.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()


def test_the_flags_of_the_stream_stay_what_they_were(pipe: Pipe) -> None:
    before = fcntl.fcntl(pipe.writing, fcntl.F_GETFL)
    lines = BackgroundWriter(pipe.writing, lost)
    lines.write_line("a line")
    lines.close()
    assert fcntl.fcntl(pipe.writing, fcntl.F_GETFL) == before


def test_a_stream_that_somebody_made_one_that_does_not_wait_loses_nothing(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    lines = BackgroundWriter(pipe.writing, lost)
    for _ in range(200):
        lines.write_line(LINE)
    assert len(pipe.read_until(LINE)) >= len(LINE)
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.extend(pipe.read_until("the end\n").splitlines()))
    reading.start()
    lines.write_line("the end")
    reading.join(30)
    lines.close()
    assert (lines.lines_lost, read[-1]) == (0, "the end")


def test_a_reader_that_is_gone_costs_nothing_but_lines(pipe: Pipe) -> None:
    pipe.close(pipe.reading)
    lines = BackgroundWriter(pipe.writing, lost)
    for _ in range(5):
        lines.write_line("for nobody")
    lines.close()
    assert lines.lines_lost == 5


def test_what_a_full_disk_lost_is_told_once_there_is_room() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    lines = BackgroundWriter(full, lost)
    lines.write_line("no room")
    for _ in range(2_000):
        if lines.lines_lost:
            break
        threading.Event().wait(0.01)
    reading, writing = os.pipe()
    os.dup2(writing, full)
    lines.write_line("room again")
    lines.close()
    os.close(full)
    os.close(writing)
    with open(reading, encoding="utf-8") as stream:
        assert stream.read().splitlines() == ["lost 1", "room again"]


def journal(stream: TextIO) -> dict[str, str]:
    here = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"}


def written_to(path: Path, environ: dict[str, str] | None = None, **options: Any) -> list[str]:
    with path.open("w", encoding="utf-8") as stream:
        log = create_logger(
            stream, now=lambda: AT, environ=environ or journal(stream), in_background=True, **options
        )
        log.debug(Event.TIMER_CLOCK_STEPPED)
        log.info(Event.DAEMON_STARTED)
        log.warning(Event.CONFIG_WARNED)
        log.error(Event.REQUEST_FAILED, exc_info=ValueError("two\nlines"))
        log.close()
    return path.read_text("utf-8").splitlines()


def test_the_journal_is_given_priorities(tmp_path: Path) -> None:
    lines = written_to(tmp_path / "log", level="debug")
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>"]
    assert [json.loads(line[3:])["level"] for line in lines] == ["debug", "info", "warning", "error"]


@pytest.mark.parametrize("value", ["", "8", "8:x", "8:12345678901"])
def test_another_stream_is_given_none(tmp_path: Path, value: str) -> None:
    """A child process of a service inherits the variable, but its stdout may lead elsewhere."""
    assert all(line.startswith("{") for line in written_to(tmp_path / "log", {"JOURNAL_STREAM": value}))


def test_readable_lines_are_given_none(tmp_path: Path) -> None:
    assert not any(line.startswith("<") for line in written_to(tmp_path / "log", style="pretty"))


def test_what_is_no_file_is_no_journal() -> None:
    assert not is_journal(io.StringIO(), {"JOURNAL_STREAM": "8:9"})


def test_what_is_no_file_is_written_to_at_once() -> None:
    stream = io.StringIO()
    log = create_logger(stream, now=lambda: AT, in_background=True)
    log.info(Event.DAEMON_STARTED)
    assert "daemon.started" in stream.getvalue()
    log.close()


def test_the_log_tells_of_its_loss_as_an_event(pipe: Pipe) -> None:
    with open(pipe.writing, "w", encoding="utf-8", closefd=False) as stream:
        log = create_logger(stream, now=lambda: AT, in_background=True)
    for event in (*Event,) * 3:
        for _ in range(MAX_LINES_PER_SECOND // 3):
            log.info(event, text=LINE)
    assert log.lines_lost > 0
    *whole, last = pipe.read_until('"log.lines_lost", "level": "warning"').splitlines()
    assert json.loads(last) == {
        "event": "log.lines_lost",
        "level": "warning",
        "at": "2026-11-23T14:30:00.000Z",
        "lines": log.lines_lost,
    }
    assert all(json.loads(line)["text"] == LINE for line in whole)
    log.close()
