"""Who changes something by hand: the vocabulary of the audit record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """The interface that a person used."""

    API = "api"
    CLI = "cli"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, as far as that is known: the interface, and the network address (None if unknown)."""

    source: Source
    peer: str | None = None
