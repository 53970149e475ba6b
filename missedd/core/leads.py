"""The life of a lead as a table: new, contacted, converted.

What happens moves a lead forwards only: a callback that was answered, a conversion. An operator, or
their CRM, may say any of the three at any time; what happens later goes on from there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class LeadStatus(StrEnum):
    NEW = "new"
    CONTACTED = "contacted"
    CONVERTED = "converted"


class LeadNews(StrEnum):
    """What may happen to a lead by itself."""

    REACHED = "reached"
    """The campaign has spoken with the person."""
    CONVERTED = "converted"


TABLE: Final[dict[tuple[LeadStatus, LeadNews], LeadStatus]] = {
    (LeadStatus.NEW, LeadNews.REACHED): LeadStatus.CONTACTED,
    (LeadStatus.NEW, LeadNews.CONVERTED): LeadStatus.CONVERTED,
    (LeadStatus.CONTACTED, LeadNews.CONVERTED): LeadStatus.CONVERTED,
}


def advance(status: LeadStatus, news: LeadNews) -> LeadStatus:
    """The status that follows; what is not in the table changes nothing."""
    return TABLE.get((status, news), status)
