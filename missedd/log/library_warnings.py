"""Warnings that libraries write with Python's own logging, as lines of our log.

Without this they would go to stderr, with another format and without limits. For example, trio writes "accept
returned EMFILE" ten times a second while no file descriptor is left, each time with its traceback.
"""

from __future__ import annotations

import logging

from missedd.log.logger import Event, Level, Logger


class LibraryLogBridge(logging.Handler):
    """Writes warnings and errors of libraries as `library.warned`; repeats are counted."""

    def __init__(self, log: Logger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = {"library": record.name, "words": record.getMessage()}
        # The key is the message without its values, because libraries repeat a message with other values.
        self._log.log_throttled(level, Event.LIBRARY_WARNED, f"{record.name} {record.msg}", **fields)
