"""What the operator asked of the daemon and when it was granted: truth that the exchange cannot know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Wish:
    number: str
    asked_at: datetime
    granted_at: datetime
    is_suppressed: bool


@dataclass(slots=True)
class Journal:
    """Instants are true time."""

    _wishes: list[_Wish] = field(default_factory=list)

    def note(self, number: str, asked_at: datetime, granted_at: datetime, *, is_suppressed: bool) -> None:
        self._wishes.append(_Wish(number, asked_at, granted_at, is_suppressed))

    def suppressions(self) -> Iterator[tuple[str, datetime, datetime]]:
        """(number, since, until): the spans in which a number was surely suppressed.

        From the answer to the wish until somebody asked to lift it: what lies between asking and
        answer may have gone either way.
        """
        lifted = [each for each in self._wishes if not each.is_suppressed]
        for wish in self._wishes:
            if wish.is_suppressed:
                later = (
                    each.asked_at
                    for each in lifted
                    if each.number == wish.number and each.granted_at >= wish.asked_at
                )
                yield wish.number, wish.granted_at, min(later, default=FOR_EVER)
