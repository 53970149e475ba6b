"""What the operator asked of the daemon and when it was granted: truth that the exchange cannot know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

NO_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _GrantedRequest:
    """To have something stopped, or to let it go on: a number's contacts, or a campaign's."""

    subject: str
    asked_at: datetime
    granted_at: datetime
    is_stop: bool
    ends_at: datetime = NO_END


@dataclass(slots=True)
class OperatorLog:
    """Instants are true time."""

    _suppressions: list[_GrantedRequest] = field(default_factory=list)
    _pauses: list[_GrantedRequest] = field(default_factory=list)

    def record_suppression(
        self, number: str, asked_at: datetime, granted_at: datetime, *, is_suppressed: bool
    ) -> None:
        self._suppressions.append(_GrantedRequest(number, asked_at, granted_at, is_suppressed))

    def record_pause(
        self, campaign: str, asked_at: datetime, granted_at: datetime, ends_at: datetime, *, is_pause: bool
    ) -> None:
        self._pauses.append(_GrantedRequest(campaign, asked_at, granted_at, is_pause, ends_at))

    def suppressions(self) -> Iterator[tuple[str, datetime, datetime]]:
        """(number, since, until): the spans in which a number was surely suppressed."""
        return _effective_periods(self._suppressions)

    def pauses(self) -> Iterator[tuple[str, datetime, datetime]]:
        """(campaign, since, until): the spans in which a campaign was surely paused."""
        return _effective_periods(self._pauses)


def _effective_periods(requests: Sequence[_GrantedRequest]) -> Iterator[tuple[str, datetime, datetime]]:
    """From the answer to a wish until somebody asked for something else, or its own end.

    What lies between asking and answer may have gone either way; the same wish again is one that may
    have another end.
    """
    for wish in requests:
        if wish.is_stop:
            later = (
                each.asked_at
                for each in requests
                if each is not wish
                and each.subject == wish.subject
                and each.granted_at >= wish.asked_at
                and (not each.is_stop or each.ends_at < NO_END)
            )
            yield wish.subject, wish.granted_at, min((wish.ends_at, *later))
