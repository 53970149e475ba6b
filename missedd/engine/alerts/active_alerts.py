"""The troubles that go on now, by kind and subject, for whoever shows or counts them.

Kept in memory: after a start a trouble that still goes on is noticed again by its next sign.
"""

from __future__ import annotations

from datetime import datetime

from missedd.core.upstream.trouble import Trouble, TroubleKind


class ActiveTroubles:
    def __init__(self) -> None:
        self._active: dict[tuple[TroubleKind, str], Trouble] = {}

    def record(
        self,
        kind: TroubleKind,
        subject: str,
        cause: str,
        remedy: str,
        now: datetime,
        *,
        since: datetime | None = None,
        tries: int = 1,
    ) -> Trouble:
        """Begin a trouble, or count one more sign of it; the latest cause stands.

        `since` and `tries` are of a trouble that was watched for a while before it was worth telling.
        """
        known = self._active.get((kind, subject))
        since, tries = (known.since, known.tries + 1) if known else (since or now, tries)
        trouble = Trouble(kind, subject, since, tries, cause, remedy)
        self._active[kind, subject] = trouble
        return trouble

    def resolve(self, kind: TroubleKind, subject: str) -> Trouble | None:
        """Forget a trouble, as it has ended; None if there was none."""
        return self._active.pop((kind, subject), None)

    def active(self) -> list[Trouble]:
        """All of them, the oldest first."""
        return sorted(
            self._active.values(), key=lambda trouble: (trouble.since, trouble.kind, trouble.subject)
        )
