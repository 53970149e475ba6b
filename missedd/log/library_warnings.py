"""What libraries say by Python's own logging, as lines of our log.

Else it went to stderr, past the log's form and its bounds: trio's "accept returned EMFILE" ten times a
second while no descriptor is left, each with its traceback.
"""

from __future__ import annotations

import logging

from missedd.log.logger import Event, Level, Logger


class LibraryLogBridge(logging.Handler):
    """Writes warnings and errors of libraries as `library.warned`, repeats counted."""

    def __init__(self, log: Logger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = {"library": record.name, "words": record.getMessage()}
        # By the words without their values: the same thing is said again and again with other ones.
        self._log.log_throttled(level, Event.LIBRARY_WARNED, f"{record.name} {record.msg}", **fields)
