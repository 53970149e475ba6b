"""What an operator should know about a database that was just opened, before the first call arrives."""

from __future__ import annotations

from missedd.base.clock import Clock
from missedd.log.logger import Event, Logger
from missedd.store.backup.upgrade_copy import COPY_RETENTION, delete_old_copies
from missedd.store.store import Store


def log_opened_store(store: Store, clock: Clock, log: Logger) -> None:
    """Log an upgrade of the schema and a check that was left out. Deletes old copies, and logs that too."""
    if store.upgrade_result is not None:
        log.info(
            Event.STORE_UPGRADED,
            from_version=store.upgrade_result.from_version,
            to_version=store.upgrade_result.to_version,
            seconds=round(store.upgrade_result.took_s, 3),
            copy=None if store.upgrade_result.copy is None else str(store.upgrade_result.copy),
        )
    for copy in delete_old_copies(store.path, clock.now()):
        log.info(Event.STORE_COPY_DROPPED, copy=str(copy), why=f"made over {COPY_RETENTION.days} days ago")
    if not store.is_checked:
        log.warning(
            Event.STORE_CHECKED, complete=False, why="the file is too large for a full check at each start"
        )
