"""Sending a file's conversions to the daemon, hundreds in a request, and keeping count of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from missedd.commands.conversions.csv_file import CsvLine
from missedd.commands.shared.daemon_client import ApiResult
from missedd.core.people.conversions import MAX_BATCH_SIZE

BATCH_BYTES: Final = 200_000
"""Of JSON in one request: below what the private listener takes."""
MAX_LINE_BYTES: Final = 4_000

type SendBatch = Callable[[Mapping[str, Any]], ApiResult]
"""Sends one batch."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    line: CsvLine
    reason: str


@dataclass(slots=True)
class UploadCounts:
    """What came of the lines so far."""

    recorded: int = 0
    repeated: int = 0
    differing: int = 0
    """Of the repeated: those that said something else this time."""
    rejected: list[RejectedLine] = field(default_factory=list)
    stopped: str | None = None
    """Why the rest was not sent, if it was not."""

    @property
    def lines(self) -> int:
        return self.recorded + self.repeated + len(self.rejected)


class ConversionUpload:
    """Sends lines until the end, or until the daemon will not go on; `counts` tells at any time."""

    def __init__(self, send_batch: SendBatch, campaign: str | None, *, dry_run: bool) -> None:
        """`campaign` is for the lines that name none."""
        self._send_batch = send_batch
        self._campaign = campaign
        self._dry_run = dry_run
        self._seen = set[object]()
        self.counts = UploadCounts()

    def send(self, lines: Iterable[CsvLine], progress: Callable[[], None]) -> None:
        """Send everything; `progress` is called after each batch."""
        for batch in self._batches(lines):
            items = [said for _, said in batch]
            answer = self._send_batch({"items": items, "dry_run": self._dry_run})
            if not answer.is_ok:
                self.counts.stopped = answer.detail
                return
            for (line, said), each in zip(batch, answer.body["items"], strict=True):
                self._count_result(line, said, each)
            progress()

    def _batches(self, lines: Iterable[CsvLine]) -> Iterator[Sequence[tuple[CsvLine, Mapping[str, object]]]]:
        batch: list[tuple[CsvLine, Mapping[str, object]]] = []
        size = 0
        for line in lines:
            said = line.fields
            if self._campaign is not None:
                said = {"campaign": self._campaign, **said}
            more = len(json.dumps(said))
            problem = line.problem or (
                f"is longer than {MAX_LINE_BYTES} bytes" if more > MAX_LINE_BYTES else None
            )
            if problem is not None:
                self.counts.rejected.append(RejectedLine(line, problem))
                continue
            if batch and (len(batch) == MAX_BATCH_SIZE or size + more > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append((line, said))
            size += more + 2
        if batch:
            yield batch

    def _count_result(self, line: CsvLine, said: Mapping[str, object], answer: Mapping[str, Any]) -> None:
        conversion = answer["conversion"]
        if conversion is None:
            self.counts.rejected.append(RejectedLine(line, str(answer["detail"])))
        elif conversion["repeated"] or (self._dry_run and said["reference"] in self._seen):
            # What a dry run would have recorded is known to nobody but us.
            self.counts.repeated += 1
            self.counts.differing += bool(conversion["differs"])
        else:
            self.counts.recorded += 1
            if self._dry_run:
                self._seen.add(said["reference"])
