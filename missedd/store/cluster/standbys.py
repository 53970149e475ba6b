"""Whether a commit waits for a standby: without one, a lost machine can take acknowledged calls with it."""

from __future__ import annotations

from missedd.store.db.database import ReadOnlyDatabase


async def why_not_synchronous(db: ReadOnlyDatabase) -> str | None:
    """Why commits are on one machine only, in words; None if each one waits for a standby.

    Roles that may not see `pg_stat_replication` in full still see how many standbys there are, but not their
    state. Then the setting decides.
    """
    ((names, commit),) = await db.fetch_all(
        "SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit')"
    )
    if not names.strip():
        return "synchronous_standby_names is empty"
    if commit in ("off", "local"):
        return f"synchronous_commit is {commit}"
    ((standbys, known, synchronous),) = await db.fetch_all(
        "SELECT count(*), count(sync_state), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) "
        "FROM pg_stat_replication"
    )
    if not standbys:
        return "no standby is connected"
    return "no connected standby is synchronous" if known and not synchronous else None
