"""The audit record: written in the transaction that does the deed, so neither is without the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from missedd.base.clock import to_us
from missedd.core.audit import Actor
from missedd.core.pagination import Page, Query
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.db.json_values import iso_from_us
from missedd.store.reads.paging import ListSpec, fetch_page


async def record_audit(
    db: Database,
    actor: Actor,
    audit_action: str,
    subject: str | int,
    now: datetime,
    **details: object,
) -> None:
    """Keep that something was done by hand; details that are None are left out."""
    said = {name: value for name, value in details.items() if value is not None}
    await db.execute(
        "INSERT INTO audit (at, source, peer, deed, subject, details) VALUES (?, ?, ?, ?, ?, ?)",
        (
            to_us(now),
            actor.source,
            actor.peer,
            audit_action,
            str(subject),
            json.dumps(said, separators=(",", ":")),
        ),
    )


async def audit(db: ReadOnlyDatabase, query: Query) -> Page:
    """What was done by hand, the latest first; `Query.subject` is what it was done to."""
    return await fetch_page(db, _AUDIT, query)


def _row(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row[0],
        "at": iso_from_us(row[1]),
        "source": row[2],
        "peer": row[3],
        "deed": row[4],
        "subject": row[5],
        "details": json.loads(row[6]),
    }


_AUDIT: Final = ListSpec(
    name="audit",
    source="audit u",
    columns="u.id, u.at, u.source, u.peer, u.deed, u.subject, u.details",
    sort_key=("u.id",),
    key_types=(int,),
    filters={"subject": "u.subject"},
    time_column="u.at",
    to_json=_row,
)
