"""What the operator requested of the daemon and when it was granted; the exchange cannot know this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

NO_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _GrantedRequest:
    """A request to stop contacts of a number or a campaign, or to allow them again."""

    subject: str
    asked_at: datetime
    granted_at: datetime
    is_stop: bool
    ends_at: datetime = NO_END


@dataclass(slots=True)
class OperatorLog:
    """The operator's granted requests. Instants are true time."""

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
        """(number, since, until): the periods in which a number was certainly suppressed."""
        return _effective_periods(self._suppressions)

    def pauses(self) -> Iterator[tuple[str, datetime, datetime]]:
        """(campaign, since, until): the periods in which a campaign was certainly paused."""
        return _effective_periods(self._pauses)


def _effective_periods(requests: Sequence[_GrantedRequest]) -> Iterator[tuple[str, datetime, datetime]]:
    """A stop lasts from its answer to its own end, or to the next request that may end it earlier.

    Example: a pause is requested at 10:00:00, granted at 10:00:05, and its resume is requested at
    10:30:00. The campaign was certainly paused from 10:00:05 to 10:30:00: between a request and its
    answer the daemon may do either. A second stop counts as such a request if it has an end of its own.
    """
    for stop in requests:
        if stop.is_stop:
            later = (
                other.asked_at
                for other in requests
                if other is not stop
                and other.subject == stop.subject
                and other.granted_at >= stop.asked_at
                and (not other.is_stop or other.ends_at < NO_END)
            )
            yield stop.subject, stop.granted_at, min((stop.ends_at, *later))
