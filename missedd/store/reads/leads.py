"""Leads and conversions, as lists and one by one."""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from dataclasses import replace
from typing import Final

from missedd.core.api_types.conversions import ConversionJson
from missedd.core.api_types.leads import LeadJson
from missedd.core.pagination import Page, Query
from missedd.store.db.columns import Columns
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.people.conversions import CONVERSION
from missedd.store.reads.paging import ListSpec, fetch_page


async def leads(db: ReadOnlyDatabase, query: Query) -> Page[LeadJson]:
    """Persons, each once a campaign; `since` and `until` are of the first call.

    What changed since an instant comes in the order in which it changed, the latest first, so that
    what changes again meanwhile is in front of the page and not lost between two.
    """
    if query.updated_since is None:
        return await fetch_page(db, _LEADS, query)
    return await fetch_page(db, _UPDATED_LEADS, query)


async def lead(db: ReadOnlyDatabase, lead_id: int) -> LeadJson | None:
    """One lead, or None."""
    rows = await db.fetch_all(
        f"SELECT {_LEADS.columns.sql} FROM {_LEADS.source} WHERE l.id = ?",
        (lead_id,),
    )
    return _LEADS.columns.read(rows[0]) if rows else None


async def conversions(db: ReadOnlyDatabase, query: Query) -> Page[ConversionJson]:
    """What leads became, in the order in which it was said; `since` and `until` are of its own time."""
    return await fetch_page(db, _CONVERSIONS, query)


_LEADS: Final = ListSpec(
    name="leads",
    source="leads l JOIN calls c ON c.id = l.first_call_id",
    columns=Columns(LeadJson, "l", first_call_sid="c.call_sid"),
    sort_key=("l.id",),
    key_types=(int,),
    filters={"campaign": "+l.campaign", "number": "l.number", "status": "+l.status"},
    time_column="l.first_seen_at",
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
    columns=CONVERSION,
    sort_key=("v.id",),
    key_types=(int,),
    filters={"campaign": "+v.campaign", "number": "v.number", "reference": "v.reference"},
    time_column="v.at",
)
