"""The logger writes events; the readable form is structlog's.

    log = create_logger(sys.stdout, now=clock.now, secrets=secrets.all_spellings)
    log.info(Event.WEBHOOK_ADMITTED, call_sid=sid, verdict=verdict)

A line is a JSON object, or readable text on a terminal: the event's name, its level, its time, then its
fields. Only an `Event` can be logged, so a search for `Event` shows everything that can happen.

Levels: debug is a step; info is a unit of work; warning is a problem that missedd handled; error needs a
person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal, TextIO

import structlog

from missedd.base.clock import to_iso
from missedd.log.events import LEVEL_RANKS, Event, Level, Listener
from missedd.log.line_writer import BackgroundWriter, DirectWriter, descriptor_of, is_journal
from missedd.log.redaction import add_journal_priority, redactor
from missedd.log.throttle import LineQuota, Repeat, Repeats

__all__ = ["Event", "Level", "Listener", "Logger", "Style", "create_logger"]

type Style = Literal["auto", "json", "pretty"]

_LEVEL_BY_RANK: Final[Mapping[int, Level]] = {rank: level for level, rank in LEVEL_RANKS.items()}
_RESERVED = frozenset({"event", "level", "at"})


class _LogSink:
    """Where lines go, and the counts of repeated and of left-out lines."""

    def __init__(
        self,
        render: Callable[[Level, Event, Mapping[str, object], datetime], str],
        rank: int,
        now: Callable[[], datetime],
        lines: DirectWriter | BackgroundWriter,
    ) -> None:
        self.render = render
        self.rank = rank
        self.now = now
        self.lines = lines
        self.repeats = Repeats()
        self.quota = LineQuota()
        self.listeners: list[Listener] = []

    def write_counts(self, now: datetime | None) -> None:
        """Report lines that were left out and repeats that fell silent; all repeats if `now` is None."""
        self.write_left_out(now)
        for repeat in self.repeats.pop_silent(now):
            self.write_end_of_repeat(repeat)

    def write_left_out(self, now: datetime | None) -> None:
        for event, count, worst in self.quota.pop_left_out(now):
            self.put(_LEVEL_BY_RANK[worst], Event.LOG_LINES_LEFT_OUT, {"of": event, "lines": count}, now)

    def write_end_of_repeat(self, repeat: Repeat) -> None:
        """Report how often it occurred, unless its last line says so."""
        if repeat.times > repeat.reported and self.rank <= LEVEL_RANKS["info"]:
            now, event = self.now(), Event.LOG_REPEATS_ENDED
            if self.quota.try_take(event, LEVEL_RANKS["info"], now):
                counts = {"of": repeat.event, "times": repeat.times, "since": repeat.since}
                self.put("info", event, {**counts, "with": repeat.fields}, now)

    def put(
        self, level: Level, event: Event, fields: Mapping[str, object], at: datetime | None = None
    ) -> None:
        self.lines.write_line(self.render(level, event, fields, at or self.now()))


class Logger:
    """Writes events together with the fields bound to it. Immutable; `bind` returns another logger.

    For each event 200 lines a second are written; the number of further lines is reported later.
    """

    __slots__ = ("_fields", "_sink")

    def __init__(self, sink: _LogSink, fields: Mapping[str, object]) -> None:
        self._sink = sink
        self._fields = fields

    def bind(self, **fields: object) -> Logger:
        """A logger that adds `fields` to every line. This is much cheaper than a line."""
        return Logger(self._sink, {**self._fields, **fields})

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` for every event of this logger and of loggers bound from it, for example to count
        events."""
        self._sink.listeners.append(listener)

    @property
    def lines_lost(self) -> int:
        """Lines that could not be written since the start, because nobody read them or the disk was full."""
        return self._sink.lines.lines_lost

    def is_enabled(self, level: Level) -> bool:
        """Whether lines of this level are written: ask before computing expensive fields."""
        return LEVEL_RANKS[level] >= self._sink.rank

    def has_room(self, event: Event) -> bool:
        """Whether a line of this event would be written now: ask if lines that are left out are reported in
        another way."""
        return self._sink.quota.has_room(event, self._sink.now())

    def debug(self, event: Event, /, **fields: object) -> None:
        if self._sink.rank <= 10:
            self.write("debug", event, **fields)

    def info(self, event: Event, /, **fields: object) -> None:
        self.write("info", event, **fields)

    def warning(self, event: Event, /, **fields: object) -> None:
        self.write("warning", event, **fields)

    def error(self, event: Event, /, **fields: object) -> None:
        """Log something that needs a person. `exc_info=exception` adds its traceback."""
        self.write("error", event, **fields)

    def count_only(self, event: Event, /, **fields: object) -> None:
        """Inform the listeners of an event without writing a line."""
        for hear in self._sink.listeners:
            hear(event, fields)

    def write(self, level: Level, event: Event, /, **fields: object) -> None:
        """Log at a level given as an argument. A field may not have the name of a fixed one."""
        sink = self._sink
        for hear in sink.listeners:
            hear(event, fields)
        rank = LEVEL_RANKS[level]
        if rank < sink.rank:
            return
        line = {**self._fields, **fields}
        if not _RESERVED.isdisjoint(line):
            raise TypeError(f"these fields are reserved: {', '.join(sorted(_RESERVED & line.keys()))}")
        now = sink.now()
        sink.write_left_out(now)
        if sink.quota.try_take(event, rank, now):
            sink.put(level, event, line, now)

    def log_throttled(self, level: Level, event: Event, key: str = "", /, **fields: object) -> None:
        """Log something that may repeat for hours: the 1st, 10th, 100th, 1,000th time, with its count.

        `key` separates repeats of one event at the same time, such as two URLs that both fail. After an hour
        without an occurrence the count starts again. The total is logged when the repeat ends.
        """
        sink = self._sink
        now = sink.now()
        repeat_fields = {**self._fields, **fields}
        repeat_fields.pop("exc_info", None)
        repeat, ended = sink.repeats.count(event, key, repeat_fields, now)
        for ended_repeat in ended:
            sink.write_end_of_repeat(ended_repeat)
        if not repeat.is_due_for_report(now):
            self.count_only(event, **fields)
            return
        if sink.quota.has_room(event, now):
            repeat.reported, repeat.reported_at = repeat.times, now
        times = {"times": repeat.times} if repeat.times > 1 else {}
        self.write(level, event, **fields, **times)

    def reset_throttle(self, event: Event, key: str = "", /) -> int:
        """End a repeat. Returns how often it occurred; 0 if it was not in progress."""
        repeat = self._sink.repeats.pop(event, key)
        if repeat is None:
            return 0
        self._sink.write_end_of_repeat(repeat)
        return repeat.times

    def write_counts(self) -> None:
        """Report lines that were left out and repeats that fell silent. Call this about once a second."""
        self._sink.write_counts(self._sink.now())

    def write_all_counts(self) -> None:
        """Report everything that was only counted so far, because no more lines will come."""
        self._sink.write_counts(None)

    def close(self) -> None:
        """Report everything that was only counted, and write the waiting lines, for at most a second."""
        self.write_all_counts()
        self._sink.lines.close()


def create_logger(
    stream: TextIO,
    *,
    now: Callable[[], datetime],
    style: Style = "auto",
    level: Level = "info",
    secrets: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
    in_background: bool = False,
) -> Logger:
    """A logger that writes to `stream`: each line at once, or `in_background` so that nothing waits for the
    reader.

    `auto` means `pretty` on a terminal and `json` elsewhere. `now` returns the time of a line (aware), so
    that virtual time shows. `secrets` are hidden wherever they occur. `environ` says whether colours are
    wanted (NO_COLOR) and whether systemd's journal reads the stream, which then gets each line's priority.
    There is no global state: two loggers do not affect each other. Close a logger that writes in the
    background. A stream without a file descriptor is written to directly.
    """
    environ = environ or {}
    is_terminal = stream.isatty()
    processors: list[Any] = [structlog.processors.format_exc_info, redactor(secrets)]
    if style == "pretty" or (style == "auto" and is_terminal):
        plain = structlog.dev.plain_traceback
        colours = is_terminal and not environ.get("NO_COLOR")
        processors.append(
            structlog.dev.ConsoleRenderer(
                colors=colours, timestamp_key="at", exception_formatter=plain, sort_keys=False
            )
        )
    else:
        processors.append(_as_json)
        if is_journal(stream, environ):
            processors.append(add_journal_priority)

    def render(level: Level, event: Event, fields: Mapping[str, object], at: datetime) -> str:
        # `.value` also refuses a string that is not an Event, if a type checker missed it.
        line: Any = {"event": event.value, "level": level, "at": to_iso(at), **fields}
        for change in processors:
            line = change(None, level, line)
        return str(line)

    def loss(count: int) -> str:
        return render("warning", Event.LOG_LINES_LOST, {"lines": count}, now())

    descriptor = descriptor_of(stream) if in_background else None
    lines = DirectWriter(stream) if descriptor is None else BackgroundWriter(descriptor, loss)
    return Logger(_LogSink(render, LEVEL_RANKS[level], now, lines), {})


# Made once: `json.dumps` makes a new one for each line.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, default=str)


def _as_json(_logger: object, _level: str, line: Mapping[str, object]) -> str:
    return _ENCODER.encode(line)
