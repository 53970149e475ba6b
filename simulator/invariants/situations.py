"""What a batch of runs of several daemons must have met, or it proves little."""

from __future__ import annotations

from collections import Counter
from typing import Final

SITUATIONS: Final = {
    "terms": "a daemon began to lead",
    "takeovers": "a daemon began to lead after another one had led",
    "handovers": "a leader that stopped handed its term over",
    "lost terms": "a leader lost its term",
    "standstills of a leader": "a daemon stood still while it led",
    "standstills past the lease": "it was replaced meanwhile",
    "crashes of a leader": "a daemon died while it led",
    "rolling restarts": "all daemons were restarted one after the other",
    "cuts from the database": "a daemon could not reach the database",
    "cuts from the news": "a daemon heard no news",
    "cuts from the provider": "a daemon could not reach Exotel",
    "outages of the database": "no daemon could reach the database",
    "lost commits": "a connection broke at a COMMIT that was not carried out",
    "lost answers to commits": "a connection broke at a COMMIT that was carried out",
    "groups run again with more locks": "a unit found that it needed more locks",
    "writes refused by the fence": "a unit of a term that was over was refused",
    "claims given back": "a request was not sent, as its claim was too old or the lease not trusted",
    "news": "a daemon told the others something",
}
"""Each with what it is in words."""


def missing_situations(counts: Counter[str]) -> list[str]:
    """The situations that never occurred."""
    return [name for name in SITUATIONS if not counts[name]]
