"""The `[cluster]` of a scenario: several daemons on one PostgreSQL, and what may happen to each of them.

Example: `daemons = 3` and, in the timeline, `daemon = "crash"` with `node = "leader"`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from simulator.base.choices import Choice
from simulator.scenario.value_readers import ValueReader, list_of, signed_duration, whole_number

MAX_DAEMONS: Final = 5
LEADER: Final = "leader"


class Link(Choice):
    """What a daemon can be cut off from."""

    DATABASE = "database"
    NEWS = "news"
    PROVIDER = "provider"


class DatabaseFault(Choice):
    """What can happen to the database of all daemons."""

    AWAY = "away"
    """No connection works, and none can be made."""
    LOSE_COMMITS = "lose-commits"
    """The connection breaks at a COMMIT, and nothing was committed."""
    LOSE_ANSWERS = "lose-answers"
    """The connection breaks at a COMMIT, and everything was committed."""


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """How many daemons there are, and how far each one's clock is ahead at the start."""

    daemons: int
    skew: tuple[timedelta, ...] = ()
    """In the order of the daemons; those that are left out have the right time."""

    def skew_of(self, node: int) -> timedelta:
        """The skew of a daemon, counted from 1."""
        return self.skew[node - 1] if node <= len(self.skew) else timedelta(0)


CLUSTER_KEYS: Mapping[str, ValueReader] = {
    "daemons": whole_number(2, MAX_DAEMONS),
    "skew": list_of(signed_duration),
}


def node_name(value: Any) -> int | str:
    """A daemon's number, counted from 1, or `leader`: whichever daemon leads at that time."""
    if value == LEADER:
        return LEADER
    try:
        return int(whole_number(1, MAX_DAEMONS)(value))
    except ValueError:
        raise ValueError(f"must be a daemon's number, counted from 1, or 'leader', not {value!r}") from None


_CLUSTER_EVENTS: Final = ("cut", "database")
"""Events that need several daemons."""

_NODE_REQUIRED: Final = ("cut", "clock_step")
"""Events that concern one daemon, so that among several it must be said which one."""


def check_cluster(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Complaints about the table itself: (key, what)."""
    if "daemons" not in spec:
        yield "daemons", "is required"
    elif len(spec.get("skew", ())) > spec["daemons"]:
        yield "skew", f"has more values than there are daemons ({spec['daemons']})"


def check_cluster_event(kind: str, entry: Mapping[str, Any], daemons: int) -> Iterator[tuple[str, str]]:
    """Complaints about an event where there are so many daemons: (key or "", what)."""
    node = entry.get("node")
    if daemons == 1:
        if kind in _CLUSTER_EVENTS:
            yield "", "needs several daemons: [cluster] says how many"
        if node is not None:
            yield "node", "needs several daemons: [cluster] says how many"
        if entry.get("daemon") == "pause":
            yield "daemon", "'pause' needs several daemons: [cluster] says how many"
    elif kind in _NODE_REQUIRED and node is None:
        yield "node", "is required, as there are several daemons"
    elif isinstance(node, int) and node > daemons:
        yield "node", f"there are {daemons} daemons"
    if kind == "daemon":
        yield from _check_daemon_event(entry, daemons)


def _check_daemon_event(entry: Mapping[str, Any], daemons: int) -> Iterator[tuple[str, str]]:
    is_pause = entry["daemon"] == "pause"
    if is_pause and "for" not in entry:
        yield "for", "is required: for how long the daemon stands still"
    if not is_pause and "for" in entry:
        yield "for", "is for 'pause' only; `down` says when a daemon is started again"
    if not is_pause and "after_writes" in entry:
        yield "after_writes", "is for 'pause' only"
    if is_pause and "down" in entry:
        yield "down", "is nothing for a daemon that stands still"
    if daemons > 1 and "node" not in entry and entry["daemon"] != "restart":
        yield "node", "is required, as there are several daemons; only a restart goes through all of them"
