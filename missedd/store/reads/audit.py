"""The audit record: written in the transaction that does the deed, so neither is without the other."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from missedd.base.clock import to_us
from missedd.core.api_types.audit import AuditedJson
from missedd.core.audit import Actor
from missedd.core.pagination import Page, Query
from missedd.store.db.columns import Column, Columns
from missedd.store.db.database import Database, ReadOnlyDatabase
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


async def audit(db: ReadOnlyDatabase, query: Query) -> Page[AuditedJson]:
    """What was done by hand, the latest first; `Query.subject` is what it was done to."""
    return await fetch_page(db, _AUDIT, query)


_AUDIT: Final = ListSpec(
    name="audit",
    source="audit u",
    columns=Columns(AuditedJson, "u", details=Column("u.details", json.loads)),
    sort_key=("u.id",),
    key_types=(int,),
    filters={"subject": "u.subject"},
    time_column="u.at",
)
