"""The life of a lead as a table: new, contacted, converted.

Events move a lead only forwards: an answered callback, a conversion. An operator, or their CRM, may set any
status at any time; later events continue from there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyroaring import BitMap64

from missedd.core.pagination import Query, ReadPage, read_all_pages

if TYPE_CHECKING:
    from missedd.core.api_types.leads import LeadJson


class LeadStatus(StrEnum):
    NEW = "new"
    CONTACTED = "contacted"
    CONVERTED = "converted"


class LeadEvent(StrEnum):
    """What can happen to a lead by itself."""

    SPOKEN_WITH = "reached"
    """The campaign has spoken with the person."""
    CONVERTED = "converted"


LEAD_TRANSITIONS: Final[dict[tuple[LeadStatus, LeadEvent], LeadStatus]] = {
    (LeadStatus.NEW, LeadEvent.SPOKEN_WITH): LeadStatus.CONTACTED,
    (LeadStatus.NEW, LeadEvent.CONVERTED): LeadStatus.CONVERTED,
    (LeadStatus.CONTACTED, LeadEvent.CONVERTED): LeadStatus.CONVERTED,
}


def next_status(status: LeadStatus, event: LeadEvent) -> LeadStatus:
    """The next status; an event that is not in the table changes nothing."""
    return LEAD_TRANSITIONS.get((status, event), status)


_COMMIT_DELAY: Final = timedelta(minutes=1)
"""A change is on disk at most this long after its `updated_at`."""

_PASSES: Final = 3


async def all_leads(
    read: ReadPage[LeadJson], query: Query, now: Callable[[], datetime]
) -> AsyncGenerator[list[LeadJson]]:
    """Every lead that the query selects, each once.

    With `updated_since`, a lead that changes during the export moves to the front of the list and would be
    missed. So leads that changed meanwhile are read again.
    """
    exported = BitMap64()
    for _ in range(1 if query.updated_since is None else _PASSES):
        began_at = now()
        async with aclosing(read_all_pages(read, query)) as pages:
            async for leads in pages:
                if fresh := [lead for lead in leads if lead.id not in exported]:
                    yield fresh
                if query.updated_since is not None:
                    exported.update(lead.id for lead in leads)
        query = replace(query, updated_since=began_at - _COMMIT_DELAY, cursor=None)
