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
from typing import Any, Literal, TextIO

import structlog

from missedd.log_lines import hiding, in_order

type Level = Literal["debug", "info", "warning", "error"]
type Style = Literal["auto", "json", "pretty"]

_RANK: dict[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_RESERVED = frozenset({"event", "level", "at"})
_KEYS_REMEMBERED = 1024
"""Different repeated errors that are counted; beyond, the oldest is forgotten and would be said again."""


class Event(StrEnum):
    """Everything that is ever logged, as `noun.past_verb` (or what goes on, for the daemon itself)."""

    DAEMON_STARTING = "daemon.starting"
    DAEMON_STARTED = "daemon.started"
    DAEMON_STOPPING = "daemon.stopping"
    DAEMON_STOPPED = "daemon.stopped"
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
    REQUEST_REFUSED = "request.refused"
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
    ACTION_FOUND = "action.found"
    ATTEMPT_ACCEPTED = "attempt.accepted"
    ATTEMPT_REFUSED = "attempt.refused"
    ATTEMPT_UNKNOWN = "attempt.unknown"
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
    TIMER_FIRED = "timer.fired"
    TIMER_CLOCK_STEPPED = "timer.clock_stepped"


type Listener = Callable[[Event, dict[str, object]], None]
"""Hears every event with its fields, whether its line is written or not."""


class _Sink:
    """Where lines go, and the counts of what is repeated."""

    def __init__(self, logger: Any, rank: int, lines: _Lines) -> None:
        self.logger = logger
        self.lines = lines
        self.rank = rank
        self.counts: dict[tuple[Event, str], int] = {}
        self.listeners: list[Listener] = []


class Logger:
    """Writes events with the fields that are bound to it. Immutable; `bind` gives another one."""

    __slots__ = ("_fields", "_sink")

    def __init__(self, sink: _Sink, fields: Mapping[str, object]) -> None:
        self._sink = sink
        self._fields = fields

    def bind(self, **fields: object) -> Logger:
        """A logger that adds `fields` to every line. Much cheaper than a line."""
        return Logger(self._sink, {**self._fields, **fields})

    def listen(self, listener: Listener) -> None:
        """Let `listener` hear all that this logger and those bound from it log, to count it."""
        self._sink.listeners.append(listener)

    @property
    def lines_lost(self) -> int:
        """How many lines could not be written, as nobody took them."""
        return self._sink.lines.lost

    def is_on(self, level: Level) -> bool:
        """Whether such lines are written: ask before fields that are dear to make."""
        return _RANK[level] >= self._sink.rank

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

    def count(self, event: Event, /, **fields: object) -> None:
        """Let the listeners hear of an event whose line would be one too many."""
        for hear in self._sink.listeners:
            hear(event, fields)

    def write(self, level: Level, event: Event, /, **fields: object) -> None:
        """Log at a level that is not known beforehand. A field may not take the name of a fixed one."""
        for hear in self._sink.listeners:
            hear(event, fields)
        if _RANK[level] < self._sink.rank:
            return
        line = {**self._fields, **fields}
        if not _RESERVED.isdisjoint(line):
            raise TypeError(f"a line has its own {', '.join(sorted(_RESERVED & line.keys()))}")
        # `.value` also refuses a string that is no Event, whatever a type checker was told.
        getattr(self._sink.logger, level)(event.value, level=level, **line)

    def repeated(self, level: Level, event: Event, key: str = "", /, **fields: object) -> None:
        """Log what may go on for hours: the first time, then the 10th, 100th, 1,000th, with its count.

        `key` tells apart what goes on at the same time, such as two URLs that both fail.
        """
        counts = self._sink.counts
        count = counts.pop((event, key), 0) + 1  # taken out and put back: the youngest stands last
        counts[event, key] = count
        if len(counts) > _KEYS_REMEMBERED:
            counts.pop(next(iter(counts)))
        if count == 1:
            self.write(level, event, **fields)
        elif str(count).strip("0") == "1":
            self.write(level, event, **fields, times=count)
        else:
            self.count(event, **fields)

    def ended(self, event: Event, key: str = "", /) -> int:
        """Forget what was repeated, as it has ended: how often it was, 0 if it was not going on."""
        return self._sink.counts.pop((event, key), 0)


def configure(
    stream: TextIO,
    *,
    now: Callable[[], datetime],
    style: Style = "auto",
    level: Level = "info",
    secrets: Iterable[str] = (),
) -> Logger:
    """A logger that writes to `stream`, each line flushed.

    `auto` is `pretty` on a terminal and `json` elsewhere. `now` gives the instant of a line, so that
    virtual time shows. `secrets` are covered wherever they should ever occur. There is no global
    state: two loggers know nothing of each other.
    """
    is_terminal = stream.isatty()
    pretty = style == "pretty" or (style == "auto" and is_terminal)
    processors: list[Any] = [in_order(["level"], now), structlog.processors.format_exc_info, hiding(secrets)]
    if pretty:
        plain = structlog.dev.plain_traceback
        processors.append(
            structlog.dev.ConsoleRenderer(
                colors=is_terminal, timestamp_key="at", exception_formatter=plain, sort_keys=False
            )
        )
    else:
        processors.append(structlog.processors.JSONRenderer(_dumps))
    lines = _Lines(stream)
    logger = structlog.wrap_logger(
        lines,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_RANK[level]),
        cache_logger_on_first_use=True,
    )
    return Logger(_Sink(logger.bind(), _RANK[level], lines), {})


def _dumps(line: Any, **_options: Any) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(", ", ": "), default=str)


class _Lines:
    """The end of structlog's chain: writes a line and flushes it.

    A stream that is full or gone loses the line, not the calls: a daemon does not stop answering
    because nobody reads its log.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = 0

    def msg(self, message: str) -> None:
        try:
            self._stream.write(message + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed
            self.lost += 1

    debug = info = warning = error = msg
