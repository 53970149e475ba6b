"""Where log lines go: directly to a stream, or through a buffer that a thread empties.

The daemon uses the thread. The reader of its log may be alive but not read, such as a log driver or a
terminal after Ctrl-S. A write would then wait for ever, and the whole daemon with it. So only the thread
waits. Lines that find the buffer full are lost and counted, and the count is logged when somebody reads
again. The stream's own settings are not changed, because another program may share the stream.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Final, TextIO

BUFFER_BYTES: Final = 256 * 1024
"""About a thousand lines: five seconds of the busiest log, or half an hour of a quiet day."""

MAX_WRITE_BYTES: Final = 64 * 1024
"""Bytes of one write: the capacity of a pipe."""

CLOSE_TIMEOUT_S: Final = 1.0
"""Seconds at the end in which the reader can take the remaining lines."""


class DirectWriter:
    """Writes each line at once, in the calling thread: for virtual time, tests and measurements.

    If the stream is full or closed, the line is lost, but the caller goes on.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lines_lost = 0

    def write_line(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed
            self.lines_lost += 1

    def close(self) -> None:
        """Nothing is left to write."""


class BackgroundWriter:
    """Takes lines without waiting; a thread writes them in order to a file descriptor.

    `loss_line` returns the line that reports a number of lost lines. It is written at the place of the lost
    lines.
    """

    def __init__(
        self, descriptor: int, loss_line: Callable[[int], str], max_bytes: int = BUFFER_BYTES
    ) -> None:
        self._descriptor = descriptor
        self._loss_line = loss_line
        self._max_bytes = max_bytes
        self.lines_lost = 0
        self._unreported = 0
        self._is_full = False
        """No line is accepted until all earlier lines are written and the loss is reported."""
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._is_closing = False
        self._is_line_cut = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write_line(self, line: str) -> None:
        data = (line + "\n").encode("utf-8", "backslashreplace")
        with self._changed:
            if self._is_full or self._bytes + len(data) > self._max_bytes or self._is_closing:
                self._is_full = True
                self._count_lost(1)
                self._changed.notify()
                return
            self._waiting.append(data)
            self._bytes += len(data)
            if len(self._waiting) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Accept no more lines, and wait up to `CLOSE_TIMEOUT_S` for the rest. If nobody reads, the rest is
        lost."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _count_lost(self, count: int) -> None:
        self.lines_lost += count
        self._unreported += count

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting or self._is_full or self._is_closing):
                    self._changed.wait()
                if not self._waiting and not self._is_full:
                    return
                lost, lines = self._next_batch()
            loss = [self._loss_line(lost).encode() + b"\n"] if lost else []
            sent, failed = self._write(loss + lines)
            if failed:
                self._drop_batch(lost, loss + lines, sent)

    def _next_batch(self) -> tuple[int, list[bytes]]:
        """What to write next: the number of lost lines to report first, and some lines."""
        lost = 0
        # While the buffer is full, the waiting lines came before the loss, otherwise after it.
        if self._unreported and (not self._is_full or not self._waiting):
            lost, self._unreported, self._is_full = self._unreported, 0, False
        lines: list[bytes] = []
        size = 0
        while self._waiting and (not lines or size + len(self._waiting[0]) <= MAX_WRITE_BYTES):
            lines.append(self._waiting.popleft())
            size += len(lines[-1])
        self._bytes -= size
        return lost, lines

    def _write(self, lines: list[bytes]) -> tuple[int, bool]:
        """Write all lines, however long that takes. Returns how many of their bytes were written, and whether
        it failed."""
        data = b"".join(lines)
        if self._is_line_cut:
            data = b"\n" + data
        start = len(data) - sum(map(len, lines))
        sent = 0
        try:
            while sent < len(data):
                try:
                    sent += os.write(self._descriptor, data[sent:])
                except BlockingIOError:
                    # Another program has made the shared stream non-blocking.
                    select.select([], [self._descriptor], [])
        except (OSError, ValueError):
            if sent:
                self._is_line_cut = data[sent - 1] != ord("\n")
            return max(0, sent - start), True
        self._is_line_cut = False
        return sent - start, False

    def _drop_batch(self, lost: int, lines: list[bytes], sent: int) -> None:
        """Nobody reads, or the disk is full: drop what is left, and try again with the next line."""
        missing = sum(end > sent for end in accumulate(map(len, lines)))
        with self._changed:
            if lost and missing == len(lines):  # the report is lost too, and does not count as a line
                self._unreported += lost
                missing -= 1
            self._count_lost(missing + len(self._waiting))
            self._waiting.clear()
            self._bytes, self._is_full = 0, False


def descriptor_of(stream: TextIO) -> int | None:
    """The file descriptor of the stream; None for a stream in memory."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether systemd's journal reads the stream; then each line starts with its priority."""
    try:
        device, inode = environ.get("JOURNAL_STREAM", "").split(":")
        here = os.fstat(stream.fileno())
        return (here.st_dev, here.st_ino) == (int(device), int(inode))
    except (OSError, ValueError):
        return False
