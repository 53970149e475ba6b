"""Leads and conversions, as lists and one by one."""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from missedd.core.pagination import Page, Query
from missedd.store.db.database import Rows
from missedd.store.db.json_values import iso
from missedd.store.people.conversions import CONVERSION_COLUMNS, conversion_of
from missedd.store.reads.paging import List, page


async def leads(db: Rows, query: Query) -> Page:
    """Persons, each once a campaign; `since` and `until` are of the first call.

    What changed since an instant comes in the order in which it changed, the latest first, so that
    what changes again meanwhile is in front of the page and not lost between two.
    """
    if query.updated_since is None:
        return await page(db, _LEADS, query)
    return await page(db, _UPDATED_LEADS, query)


async def lead(db: Rows, lead_id: int) -> dict[str, Any] | None:
    """One lead, or None."""
    rows = await db.fetch_all(
        f"SELECT {_LEADS.columns} FROM {_LEADS.source} WHERE l.id = ?",
        (lead_id,),
    )
    return _lead_of(rows[0]) if rows else None


async def conversions(db: Rows, query: Query) -> Page:
    """What leads became, in the order in which it was said; `since` and `until` are of its own time."""
    return await page(db, _CONVERSIONS, query)


def _lead_of(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row[0],
        "campaign": row[1],
        "number": row[2],
        "source": row[3],
        "status": row[4],
        "first_seen_at": iso(row[5]),
        "last_seen_at": iso(row[6]),
        "count": row[7],
        "first_call_sid": row[8],
        "callback_outcome": row[9],
        "contacted_at": iso(row[10]),
        "converted_at": iso(row[11]),
        "updated_at": iso(row[12]),
    }


_LEADS: Final = List(
    name="leads",
    source="leads l JOIN calls c ON c.id = l.first_call_id",
    columns="""l.id, l.campaign, l.number, l.source, l.status, l.first_seen_at, l.last_seen_at, l.count,
               c.call_sid, l.callback_outcome, l.contacted_at, l.converted_at, l.updated_at""",
    key=("l.id",),
    like=(int,),
    filters={"campaign": "+l.campaign", "number": "l.number", "status": "+l.status"},
    time="l.first_seen_at",
    shape=_lead_of,
)
_UPDATED_LEADS: Final = replace(
    _LEADS, name="updated leads", key=("l.updated_at", "l.id"), like=(int, int), updated="l.updated_at"
)

_CONVERSIONS: Final = List(
    name="conversions",
    source="conversions v LEFT JOIN calls c ON c.id = v.call_id",
    columns=CONVERSION_COLUMNS,
    key=("v.id",),
    like=(int,),
    filters={"campaign": "+v.campaign", "number": "v.number", "reference": "v.reference"},
    time="v.at",
    shape=conversion_of,
)
