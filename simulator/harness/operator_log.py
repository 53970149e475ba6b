"""What the operator asked of the daemon and when it was granted: truth that the exchange cannot know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Wish:
    """To have something stopped, or to let it go on: a number's contacts, or a campaign's."""

    about: str
    asked_at: datetime
    granted_at: datetime
    is_stop: bool
    ends_at: datetime = FOR_EVER


@dataclass(slots=True)
class Journal:
    """Instants are true time."""

    _wishes: list[_Wish] = field(default_factory=list)
    _pauses: list[_Wish] = field(default_factory=list)

    def note(self, number: str, asked_at: datetime, granted_at: datetime, *, is_suppressed: bool) -> None:
        self._wishes.append(_Wish(number, asked_at, granted_at, is_suppressed))

    def note_pause(
        self, campaign: str, asked_at: datetime, granted_at: datetime, ends_at: datetime, *, is_pause: bool
    ) -> None:
        self._pauses.append(_Wish(campaign, asked_at, granted_at, is_pause, ends_at))

    def suppressions(self) -> Iterator[tuple[str, datetime, datetime]]:
        """(number, since, until): the spans in which a number was surely suppressed."""
        return _spans(self._wishes)

    def pauses(self) -> Iterator[tuple[str, datetime, datetime]]:
        """(campaign, since, until): the spans in which a campaign was surely paused."""
        return _spans(self._pauses)


def _spans(wishes: Sequence[_Wish]) -> Iterator[tuple[str, datetime, datetime]]:
    """From the answer to a wish until somebody asked for something else, or its own end.

    What lies between asking and answer may have gone either way; the same wish again is one that may
    have another end.
    """
    for wish in wishes:
        if wish.is_stop:
            later = (
                each.asked_at
                for each in wishes
                if each is not wish
                and each.about == wish.about
                and each.granted_at >= wish.asked_at
                and (not each.is_stop or each.ends_at < FOR_EVER)
            )
            yield wish.about, wish.granted_at, min((wish.ends_at, *later))
