"""The row `leadership`: who leads, since which epoch, renewed when. PostgreSQL only.

Each statement names what the node has read, so it changes nothing if another node was faster. The key `epoch`
is unique: its change waits for every transaction that holds the fence of the epoch before, and a renewal,
which leaves the epoch alone, waits for none.
"""

from __future__ import annotations

from typing import NamedTuple

from missedd.core.cluster.lease import LeadershipRow
from missedd.store.cluster.coordination import Coordination
from missedd.store.db.database import NotLeading, ReadOnlyDatabase


class LeadershipLook(NamedTuple):
    """The row, and the database's time when it was read, in microseconds of Unix time."""

    now_us: int
    row: LeadershipRow
    state_json: str
    """What the leader wrote with its last renewal."""


async def look_at_leadership(db: ReadOnlyDatabase) -> LeadershipLook:
    ((now_us, epoch, node, renewed_us, state_json),) = await db.fetch_all(
        "SELECT db_now_us(), epoch, node, renewed_at, state_json FROM leadership"
    )
    row = LeadershipRow(epoch, node or None, renewed_us, (now_us - renewed_us) / 1e6)
    return LeadershipLook(now_us, row, state_json)


async def renew(db: Coordination, node: int, epoch: int, state_json: str) -> bool:
    """Renew the leadership of the node, and write what it has to say for all nodes' consoles.

    Returns False if another node has taken over since.
    """
    rows = await db.fetch_all(
        "UPDATE leadership SET renewed_at = db_now_us(), state_json = ? WHERE epoch = ? AND node = ? "
        "RETURNING epoch",
        (state_json, epoch, node),
    )
    return bool(rows)


async def take_over(db: Coordination, node: int, seen: LeadershipRow) -> int | None:
    """Begin a new epoch, if the row is still as it was `seen`. Returns the epoch, or None.

    Waits for the open transactions of the leader before, at most until the database ends them.
    """
    rows = await db.fetch_all(
        "UPDATE leadership SET epoch = epoch + 1, node = ?, renewed_at = db_now_us(), state_json = '{}' "
        "WHERE epoch = ? AND renewed_at = ? RETURNING epoch",
        (node, seen.epoch, seen.renewed_us),
    )
    return int(rows[0][0]) if rows else None


async def hand_over(db: Coordination, node: int, epoch: int) -> bool:
    """Give the leadership back, so that another node may take over at once. False if another one has."""
    rows = await db.fetch_all(
        "UPDATE leadership SET node = 0, state_json = '{}' WHERE epoch = ? AND node = ? RETURNING epoch",
        (epoch, node),
    )
    return bool(rows)


async def resign(db: Coordination, node: int) -> bool:
    """Give back whatever epoch the node has, as it stops. A takeover may have been carried out just before,
    and its answer lost. False if the node has none."""
    rows = await db.fetch_all(
        "UPDATE leadership SET node = 0, state_json = '{}' WHERE node = ? RETURNING epoch", (node,)
    )
    return bool(rows)


async def check_leads(db: ReadOnlyDatabase, *, epoch: int, node: int) -> None:
    """The fence of a term: raises `NotLeading` if the node leads no more, in this epoch.

    Until the transaction ends, no other node takes over.
    """
    rows = await db.fetch_all(
        "SELECT 1 FROM leadership WHERE epoch = ? AND node = ? FOR KEY SHARE", (epoch, node)
    )
    if not rows:
        raise NotLeading(f"node {node} does not lead in epoch {epoch}")
