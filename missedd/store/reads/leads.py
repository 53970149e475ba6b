"""Leads and conversions, as lists and one by one."""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from missedd.core.pagination import Page, Query
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.db.json_values import iso_from_us
from missedd.store.people.conversions import CONVERSION_COLUMNS, conversion_json
from missedd.store.reads.paging import ListSpec, fetch_page


async def leads(db: ReadOnlyDatabase, query: Query) -> Page:
    """Persons, each once a campaign; `since` and `until` are of the first call.

    What changed since an instant comes in the order in which it changed, the latest first, so that
    what changes again meanwhile is in front of the page and not lost between two.
    """
    if query.updated_since is None:
        return await fetch_page(db, _LEADS, query)
    return await fetch_page(db, _UPDATED_LEADS, query)


async def lead(db: ReadOnlyDatabase, lead_id: int) -> dict[str, Any] | None:
    """One lead, or None."""
    rows = await db.fetch_all(
        f"SELECT {_LEADS.columns} FROM {_LEADS.source} WHERE l.id = ?",
        (lead_id,),
    )
    return _lead_json(rows[0]) if rows else None


async def conversions(db: ReadOnlyDatabase, query: Query) -> Page:
    """What leads became, in the order in which it was said; `since` and `until` are of its own time."""
    return await fetch_page(db, _CONVERSIONS, query)


def _lead_json(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row[0],
        "campaign": row[1],
        "number": row[2],
        "source": row[3],
        "status": row[4],
        "first_seen_at": iso_from_us(row[5]),
        "last_seen_at": iso_from_us(row[6]),
        "count": row[7],
        "first_call_sid": row[8],
        "callback_outcome": row[9],
        "contacted_at": iso_from_us(row[10]),
        "converted_at": iso_from_us(row[11]),
        "updated_at": iso_from_us(row[12]),
    }


_LEADS: Final = ListSpec(
    name="leads",
    source="leads l JOIN calls c ON c.id = l.first_call_id",
    columns="""l.id, l.campaign, l.number, l.source, l.status, l.first_seen_at, l.last_seen_at, l.count,
               c.call_sid, l.callback_outcome, l.contacted_at, l.converted_at, l.updated_at""",
    sort_key=("l.id",),
    key_types=(int,),
    filters={"campaign": "+l.campaign", "number": "l.number", "status": "+l.status"},
    time_column="l.first_seen_at",
    to_json=_lead_json,
)
_UPDATED_LEADS: Final = replace(
    _LEADS,
    name="updated leads",
    sort_key=("l.updated_at", "l.id"),
    key_types=(int, int),
    updated_column="l.updated_at",
)

_CONVERSIONS: Final = ListSpec(
    name="conversions",
    source="conversions v LEFT JOIN calls c ON c.id = v.call_id",
    columns=CONVERSION_COLUMNS,
    sort_key=("v.id",),
    key_types=(int,),
    filters={"campaign": "+v.campaign", "number": "v.number", "reference": "v.reference"},
    time_column="v.at",
    to_json=conversion_json,
)
