"""The active troubles, by kind and subject, for the console, the API and the metrics.

They are in memory only. If a trouble continues after a restart, its next failure records it again.
"""

from __future__ import annotations

from datetime import datetime

from missedd.core.upstream.trouble import Trouble, TroubleKind


class ActiveTroubles:
    """The active troubles, each with its cause and its remedy."""

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
        """Begin a trouble, or count one more failure of it. The latest cause replaces the older one.

        `since` (UTC) and `tries` are for a trouble that was watched for a while before it was reported.
        """
        known = self._active.get((kind, subject))
        since, tries = (known.since, known.tries + 1) if known else (since or now, tries)
        trouble = Trouble(kind, subject, since, tries, cause, remedy)
        self._active[kind, subject] = trouble
        return trouble

    def resolve(self, kind: TroubleKind, subject: str) -> Trouble | None:
        """End a trouble and return it; None if there was none."""
        return self._active.pop((kind, subject), None)

    def active(self) -> list[Trouble]:
        """All active troubles, the oldest first."""
        return sorted(
            self._active.values(), key=lambda trouble: (trouble.since, trouble.kind, trouble.subject)
        )
