"""Sending a file's conversions to the daemon, hundreds in a request, and keeping count of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from missedd.commands.conversions.csv_file import Line
from missedd.commands.shared.daemon_client import Said
from missedd.core.people.conversions import LARGEST_BATCH

BATCH_BYTES: Final = 200_000
"""Of JSON in one request: below what the private listener takes."""
LONGEST_LINE: Final = 4_000

type Ask = Callable[[Mapping[str, Any]], Said]
"""Sends one batch."""


@dataclass(frozen=True, slots=True)
class Rejected:
    line: Line
    reason: str


@dataclass(slots=True)
class Tally:
    """What came of the lines so far."""

    recorded: int = 0
    repeated: int = 0
    differing: int = 0
    """Of the repeated: those that said something else this time."""
    rejected: list[Rejected] = field(default_factory=list)
    stopped: str | None = None
    """Why the rest was not sent, if it was not."""

    @property
    def lines(self) -> int:
        return self.recorded + self.repeated + len(self.rejected)


class Sending:
    """Sends lines until the end, or until the daemon will not go on; `tally` tells at any time."""

    def __init__(self, ask: Ask, campaign: str | None, *, dry_run: bool) -> None:
        """`campaign` is for the lines that name none."""
        self._ask = ask
        self._campaign = campaign
        self._dry_run = dry_run
        self._seen = set[object]()
        self.tally = Tally()

    def send(self, lines: Iterable[Line], progress: Callable[[], None]) -> None:
        """Send everything; `progress` is called after each batch."""
        for batch in self._batches(lines):
            items = [said for _, said in batch]
            answer = self._ask({"items": items, "dry_run": self._dry_run})
            if not answer.is_well:
                self.tally.stopped = answer.detail
                return
            for (line, said), each in zip(batch, answer.body["items"], strict=True):
                self._count(line, said, each)
            progress()

    def _batches(self, lines: Iterable[Line]) -> Iterator[Sequence[tuple[Line, Mapping[str, object]]]]:
        batch: list[tuple[Line, Mapping[str, object]]] = []
        size = 0
        for line in lines:
            said = line.said
            if self._campaign is not None:
                said = {"campaign": self._campaign, **said}
            more = len(json.dumps(said))
            problem = line.problem or (
                f"is longer than {LONGEST_LINE} bytes" if more > LONGEST_LINE else None
            )
            if problem is not None:
                self.tally.rejected.append(Rejected(line, problem))
                continue
            if batch and (len(batch) == LARGEST_BATCH or size + more > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append((line, said))
            size += more + 2
        if batch:
            yield batch

    def _count(self, line: Line, said: Mapping[str, object], answer: Mapping[str, Any]) -> None:
        conversion = answer["conversion"]
        if conversion is None:
            self.tally.rejected.append(Rejected(line, str(answer["detail"])))
        elif conversion["repeated"] or (self._dry_run and said["reference"] in self._seen):
            # What a dry run would have recorded is known to nobody but us.
            self.tally.repeated += 1
            self.tally.differing += bool(conversion["differs"])
        else:
            self.tally.recorded += 1
            if self._dry_run:
                self._seen.add(said["reference"])
