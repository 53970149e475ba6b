"""The log: one vocabulary of events, and a thin logger that writes them.

    log = configure(sys.stdout, now=clock.now, secrets=secrets.texts)
    log.info(Event.WEBHOOK_ADMITTED, call_sid=sid, verdict=verdict)

A line is a JSON object, or readable text on a terminal: the event's name, its level, its instant,
then the fields. Only an `Event` can be logged, so that one can grep for what may happen. Levels:
debug a step, info a unit of work, warning we coped, error a person must act.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, TextIO

import structlog

from missedd.log.line_writer import BackgroundWriter, DirectWriter, descriptor_of, is_journal
from missedd.log.redaction import add_journal_priority, field_order, redactor
from missedd.log.throttle import LineQuota, Repeat, Repeats

type Level = Literal["debug", "info", "warning", "error"]
type Style = Literal["auto", "json", "pretty"]

_RANK: dict[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_LEVEL_BY_RANK: Final[Mapping[int, Level]] = {rank: level for level, rank in _RANK.items()}
_RESERVED = frozenset({"event", "level", "at"})


class Event(StrEnum):
    """Everything that is ever logged, as `noun.past_verb` (or what goes on, for the daemon itself)."""

    DAEMON_STARTING = "daemon.starting"
    DAEMON_STARTED = "daemon.started"
    DAEMON_NOT_RELOADED = "daemon.not_reloaded"
    DAEMON_STOPPING = "daemon.stopping"
    DAEMON_STOPPED = "daemon.stopped"
    DAEMON_FAILED = "daemon.failed"
    LIBRARY_WARNED = "library.warned"
    LOG_LINES_LOST = "log.lines_lost"
    LOG_LINES_LEFT_OUT = "log.lines_left_out"
    LOG_REPEATS_ENDED = "log.repeats_ended"
    CONFIG_WARNED = "config.warned"
    STORE_CHECKED = "store.checked"
    STORE_MENDED = "store.mended"
    STORE_UPGRADED = "store.upgraded"
    STORE_COPY_DROPPED = "store.copy_dropped"
    STORE_QUARANTINED = "store.quarantined"
    STORE_RELEASED = "store.released"
    STORE_RECOVERED = "store.recovered"
    CALLERS_LEFT_OUT = "callers.left_out"
    STORE_COMMIT_FAILED = "store.commit_failed"
    SUMMARIES_BEHIND = "summaries.behind"
    SUMMARIES_CAUGHT_UP = "summaries.caught_up"
    NUMBERS_ERASED = "numbers.erased"
    REQUEST_FAILED = "request.failed"
    WEBHOOK_ADMITTED = "webhook.admitted"
    WEBHOOKS_ADMITTED = "webhooks.admitted"
    WEBHOOK_REFUSED = "webhook.refused"
    WEBHOOK_MISPLACED = "webhook.misplaced"
    WEBHOOKS_MISSING = "webhooks.missing"
    CALL_RECOVERED = "call.recovered"
    CALL_TOLD_EARLY = "call.told_early"
    POLL_RECOUNTED = "poll.recounted"
    REPORT_APPLIED = "report.applied"
    REPORT_IGNORED = "report.ignored"
    ACTION_HELD = "action.held"
    ACTION_CLOSED = "action.closed"
    ACTIONS_EXPIRED = "actions.expired"
    ACTION_FOUND = "action.found"
    ATTEMPT_ACCEPTED = "attempt.accepted"
    ATTEMPT_REFUSED = "attempt.refused"
    ATTEMPT_UNKNOWN = "attempt.unknown"
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_ANSWERS = "endpoint.answers"
    LOOKUP_FAILED = "lookup.failed"
    BUDGET_PAUSED = "budget.paused"
    PROVIDER_UNREACHABLE = "provider.unreachable"
    PROVIDER_REFUSES = "provider.refuses"
    PROVIDER_REACHABLE = "provider.reachable"
    OPERATOR_ACTED = "operator.acted"
    OPERATOR_LOGGED_IN = "operator.logged_in"
    LOGIN_REFUSED = "login.refused"
    VERIFICATION_STARTED = "verification.started"
    VERIFICATION_REFUSED = "verification.refused"
    TIMER_CLOCK_STEPPED = "timer.clock_stepped"


type Listener = Callable[[Event, dict[str, object]], None]
"""Hears every event with its fields, whether its line is written or not."""


class _LogSink:
    """Where lines go, and the counts of what is repeated and of what is too much."""

    def __init__(
        self, logger: Any, rank: int, now: Callable[[], datetime], lines: DirectWriter | BackgroundWriter
    ) -> None:
        self.logger = logger
        self.rank = rank
        self.now = now
        self.lines = lines
        self.repeats = Repeats()
        self.quota = LineQuota()
        self.listeners: list[Listener] = []

    def write_counts(self, now: datetime | None) -> None:
        """Tell of what was left out or has fallen silent; of all that goes on where `now` is None."""
        self.write_left_out(now)
        for repeat in self.repeats.pop_silent(now):
            self.write_end_of_repeat(repeat)

    def write_left_out(self, now: datetime | None) -> None:
        for event, count, worst in self.quota.pop_left_out(now):
            self.put(_LEVEL_BY_RANK[worst], Event.LOG_LINES_LEFT_OUT, {"of": event, "lines": count}, now)

    def write_end_of_repeat(self, repeat: Repeat) -> None:
        """Tell how often it was, where its last line does not say so."""
        if repeat.times > repeat.reported and self.rank <= _RANK["info"]:
            now, told = self.now(), Event.LOG_REPEATS_ENDED
            if self.quota.try_take(told, _RANK["info"], now):
                of = {"of": repeat.event, "times": repeat.times, "since": repeat.since, "with": repeat.fields}
                self.put("info", told, of, now)

    def put(
        self, level: Level, event: Event, fields: Mapping[str, object], at: datetime | None = None
    ) -> None:
        # `.value` also refuses a string that is no Event, whatever a type checker was told.
        getattr(self.logger, level)(event.value, level=level, at=at or self.now(), **fields)


class Logger:
    """Writes events with the fields that are bound to it. Immutable; `bind` gives another one.

    Of any one event 200 lines a second are written; the others are told together, with their count.
    """

    __slots__ = ("_fields", "_sink")

    def __init__(self, sink: _LogSink, fields: Mapping[str, object]) -> None:
        self._sink = sink
        self._fields = fields

    def bind(self, **fields: object) -> Logger:
        """A logger that adds `fields` to every line. Much cheaper than a line."""
        return Logger(self._sink, {**self._fields, **fields})

    def add_listener(self, listener: Listener) -> None:
        """Let `listener` hear all that this logger and those bound from it log, to count it."""
        self._sink.listeners.append(listener)

    @property
    def lines_lost(self) -> int:
        """Lines that could not be written since the start, as nobody read them or the disk was full."""
        return self._sink.lines.lines_lost

    def is_enabled(self, level: Level) -> bool:
        """Whether such lines are written: ask before fields that are dear to make."""
        return _RANK[level] >= self._sink.rank

    def has_room(self, event: Event) -> bool:
        """Whether a line of this event would be written now: ask where what is left out is told otherwise."""
        return self._sink.quota.has_room(event, self._sink.now())

    def debug(self, event: Event, /, **fields: object) -> None:
        if self._sink.rank <= 10:
            self.write("debug", event, **fields)

    def info(self, event: Event, /, **fields: object) -> None:
        self.write("info", event, **fields)

    def warning(self, event: Event, /, **fields: object) -> None:
        self.write("warning", event, **fields)

    def error(self, event: Event, /, **fields: object) -> None:
        """Log what a person must see to. `exc_info=exception` adds its traceback."""
        self.write("error", event, **fields)

    def count_only(self, event: Event, /, **fields: object) -> None:
        """Let the listeners hear of an event whose line would be one too many."""
        for hear in self._sink.listeners:
            hear(event, fields)

    def write(self, level: Level, event: Event, /, **fields: object) -> None:
        """Log at a level that is not known beforehand. A field may not take the name of a fixed one."""
        sink = self._sink
        for hear in sink.listeners:
            hear(event, fields)
        rank = _RANK[level]
        if rank < sink.rank:
            return
        line = {**self._fields, **fields}
        if not _RESERVED.isdisjoint(line):
            raise TypeError(f"a line has its own {', '.join(sorted(_RESERVED & line.keys()))}")
        now = sink.now()
        sink.write_left_out(now)
        if sink.quota.try_take(event, rank, now):
            sink.put(level, event, line, now)

    def log_throttled(self, level: Level, event: Event, key: str = "", /, **fields: object) -> None:
        """Log what may go on for hours: the first time, then the 10th, 100th, 1,000th, with its count.

        `key` tells apart what goes on at the same time, such as two URLs that both fail. After an hour
        without one it begins anew. How often it was is told when it ends.
        """
        sink = self._sink
        now = sink.now()
        shown = {**self._fields, **fields}
        shown.pop("exc_info", None)
        repeat, over = sink.repeats.count(event, key, shown, now)
        for ended in over:
            sink.write_end_of_repeat(ended)
        if not repeat.is_due_for_report(now):
            self.count_only(event, **fields)
            return
        if sink.quota.has_room(event, now):
            repeat.reported, repeat.reported_at = repeat.times, now
        times = {"times": repeat.times} if repeat.times > 1 else {}
        self.write(level, event, **fields, **times)

    def reset_throttle(self, event: Event, key: str = "", /) -> int:
        """What was repeated has ended: how often it was, 0 if it was not going on."""
        repeat = self._sink.repeats.pop(event, key)
        if repeat is None:
            return 0
        self._sink.write_end_of_repeat(repeat)
        return repeat.times

    def write_counts(self) -> None:
        """Tell of what was left out or has fallen silent: to be called every second or so."""
        self._sink.write_counts(self._sink.now())

    def write_all_counts(self) -> None:
        """Tell of all that was only counted so far, as nothing more will come."""
        self._sink.write_counts(None)

    def close(self) -> None:
        """Tell of all that was only counted, and write out what waits, for a second at most."""
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
    """A logger that writes to `stream`, each line at once, or `in_background` so that nobody waits for its
    reader.

    `auto` is `pretty` on a terminal and `json` elsewhere. `now` gives the instant of a line, so that
    virtual time shows. `secrets` are covered wherever they should ever occur. `environ` says whether
    colours are wanted (NO_COLOR) and whether systemd's journal reads the stream, which is then given
    each line's priority. There is no global state: two loggers know nothing of each other. One that
    writes aside is to be closed; a stream that is no file of the system is written to at once.
    """
    environ = environ or {}
    is_terminal = stream.isatty()
    processors: list[Any] = [field_order(["level"]), structlog.processors.format_exc_info, redactor(secrets)]
    if style == "pretty" or (style == "auto" and is_terminal):
        plain = structlog.dev.plain_traceback
        colours = is_terminal and not environ.get("NO_COLOR")
        processors.append(
            structlog.dev.ConsoleRenderer(
                colors=colours, timestamp_key="at", exception_formatter=plain, sort_keys=False
            )
        )
    else:
        processors.append(structlog.processors.JSONRenderer(_dumps))
        if is_journal(stream, environ):
            processors.append(add_journal_priority)

    def loss(count: int) -> str:
        line: Any = {"event": Event.LOG_LINES_LOST.value, "level": "warning", "at": now(), "lines": count}
        for change in processors:
            line = change(None, "warning", line)
        return str(line)

    descriptor = descriptor_of(stream) if in_background else None
    lines = DirectWriter(stream) if descriptor is None else BackgroundWriter(descriptor, loss)
    logger = structlog.wrap_logger(
        _LineOutput(lines),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_RANK[level]),
        cache_logger_on_first_use=True,
    )
    return Logger(_LogSink(logger.bind(), _RANK[level], now, lines), {})


def _dumps(line: Any, **_options: Any) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(", ", ": "), default=str)


class _LineOutput:
    """The end of structlog's chain."""

    def __init__(self, lines: DirectWriter | BackgroundWriter) -> None:
        self.debug = self.info = self.warning = self.error = lines.write_line
