"""Where lines of the log go: to a stream at once, or through a buffer that a thread empties.

The daemon takes the second way. Its reader may be a driver or a terminal that is alive and does not
read (Ctrl-S): a write would then wait for ever, and with it everything else. So the thread waits, and
what finds the buffer full is lost, counted, and told of when somebody reads again. Nothing is set on
the stream itself, which another program may share.
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
"""A thousand lines: some five seconds of the most that is ever logged, half an hour of a quiet day."""

MAX_WRITE_BYTES: Final = 64 * 1024
"""For one write: what a pipe holds."""

CLOSE_TIMEOUT_S: Final = 1.0
"""At the end, for whoever reads to take what is left."""


class DirectWriter:
    """Writes each line at once, in the calling thread: for virtual time, tests and figures.

    A stream that is full or gone loses the line, not what was being done.
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
        """Nothing is left to be written."""


class BackgroundWriter:
    """Takes lines without ever waiting; a thread writes them, in their order, to a file descriptor.

    `loss_line` gives the line that tells of so many lost ones. It stands where they would have stood.
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
        """Lines are refused until all that came before them is written, and the loss told."""
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
        """Take no more, and wait a moment until what is left is written. It is lost where nobody reads."""
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
            untold = [self._loss_line(lost).encode() + b"\n"] if lost else []
            sent, failed = self._write(untold + lines)
            if failed:
                self._drop_batch(lost, untold + lines, sent)

    def _next_batch(self) -> tuple[int, list[bytes]]:
        """What to write next: a loss to be told first, and some lines."""
        lost = 0
        # What waits came before the loss while the buffer is full, and after it otherwise.
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
        """Write all of it, however long that takes; how many bytes went out, and whether it failed."""
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
                    # Somebody else has made the stream one that does not wait.
                    select.select([], [self._descriptor], [])
        except (OSError, ValueError):
            if sent:
                self._is_line_cut = data[sent - 1] != ord("\n")
            return max(0, sent - start), True
        self._is_line_cut = False
        return sent - start, False

    def _drop_batch(self, lost: int, lines: list[bytes], sent: int) -> None:
        """Nobody is there, or the disk is full: lose what was to be written, and try with the next line."""
        missing = sum(end > sent for end in accumulate(map(len, lines)))
        with self._changed:
            if lost and missing == len(lines):  # the telling itself is lost too, and is no line of its own
                self._unreported += lost
                missing -= 1
            self._count_lost(missing + len(self._waiting))
            self._waiting.clear()
            self._bytes, self._is_full = 0, False


def descriptor_of(stream: TextIO) -> int | None:
    """The stream's file descriptor; None for one in memory."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether systemd's journal reads the stream, which takes a priority at the head of each line."""
    try:
        device, inode = environ.get("JOURNAL_STREAM", "").split(":")
        here = os.fstat(stream.fileno())
        return (here.st_dev, here.st_ino) == (int(device), int(inode))
    except (OSError, ValueError):
        return False
