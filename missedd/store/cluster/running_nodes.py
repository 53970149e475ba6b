"""Whether daemons run on a PostgreSQL, for commands that need it for themselves."""

from __future__ import annotations

from missedd.store.cluster.nodes import list_nodes
from missedd.store.db.database import ReadOnlyDatabase, StoreRefused


async def check_no_daemon(db: ReadOnlyDatabase) -> None:
    """Raise `StoreRefused`, which names them, if daemons run on the database."""
    found = await list_nodes(db)
    running = [node.label for node in found.nodes if node.is_alive(found.now)]
    if running:
        raise StoreRefused(f"daemons run on the database: {', '.join(running)}; stop them first")
