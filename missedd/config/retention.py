"""`[retention]`: how long numbers are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from missedd.config.table import ConfigTable
from missedd.config.values import format_duration

MIN_ERASE_AFTER: Final = timedelta(days=30)
"""Caps, duplicates and lookups of lost answers need some days of history; this is far more."""

LAWFUL_ERASE_AFTER: Final = timedelta(days=365)
"""India's rules require that personal data and its logs are kept for a year (DPDP rule 8(3))."""

MAX_ERASE_AFTER: Final = timedelta(days=3_660)


def read_erase_after(table: ConfigTable | None, warnings: list[str]) -> timedelta | None:
    """How long after its last activity a number is erased; None: never."""
    if table is None:
        return None
    erase_after = table.duration("erase_after", maximum=MAX_ERASE_AFTER)
    if erase_after is not None and erase_after < MIN_ERASE_AFTER:
        table.problem(
            "erase_after",
            f"must be at least {format_duration(MIN_ERASE_AFTER)}, not {format_duration(erase_after)}",
        )
    elif erase_after is not None and erase_after < LAWFUL_ERASE_AFTER:
        warnings.append(
            "retention.erase_after: is less than one year, the time that India's rules require to "
            "keep numbers"
        )
    return erase_after
