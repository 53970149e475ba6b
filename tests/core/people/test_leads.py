"""Events move a lead forwards, never back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from itertools import product

import pytest

from missedd.core.api_types.leads import LeadJson
from missedd.core.pagination import BATCH_ROWS, Page, Query
from missedd.core.people.leads import LeadEvent, LeadStatus, all_leads, next_status
from tests.core.campaigns import NOON
from tests.core.objects import made

ORDER = (LeadStatus.NEW, LeadStatus.CONTACTED, LeadStatus.CONVERTED)


@pytest.mark.parametrize(
    ("status", "news", "follows"),
    [
        ("new", "reached", "contacted"),
        ("new", "converted", "converted"),
        ("contacted", "reached", "contacted"),
        ("contacted", "converted", "converted"),
        ("converted", "reached", "converted"),
        ("converted", "converted", "converted"),
    ],
)
def test_each_step(status: str, news: str, follows: str) -> None:
    assert next_status(LeadStatus(status), LeadEvent(news)) == follows


def test_never_back_and_no_longer_moved_by_the_same_news() -> None:
    for status, news in product(LeadStatus, LeadEvent):
        after = next_status(status, news)
        assert ORDER.index(after) >= ORDER.index(status)
        assert next_status(after, news) is after


class Changing:
    """Leads that change between the pages; each page has the present state, latest change first."""

    def __init__(self, count: int) -> None:
        self.changed = {lead_id: NOON + timedelta(seconds=lead_id) for lead_id in range(count)}
        self.asked: list[Query] = []

    async def read(self, query: Query) -> Page[LeadJson]:
        self.asked.append(query)
        before = None if query.cursor is None else NOON + timedelta(seconds=float(query.cursor))
        found = sorted(
            (at, lead_id)
            for lead_id, at in self.changed.items()
            if (query.updated_since is None or at >= query.updated_since) and (before is None or at < before)
        )[::-1]
        page = found[: query.limit]
        more = str((page[-1][0] - NOON).total_seconds()) if len(found) > query.limit else None
        return Page([made(LeadJson, id=lead_id) for _, lead_id in page], more)


async def ids(pages: AsyncGenerator[list[LeadJson]]) -> list[int]:
    return [lead.id async for page in pages for lead in page]


async def test_a_lead_that_changes_while_the_others_are_told_is_told_once() -> None:
    leads = Changing(3 * BATCH_ROWS)
    now = NOON + timedelta(hours=2)
    told: list[int] = []
    async for page in all_leads(leads.read, Query(updated_since=NOON), lambda: now):
        if not told:
            leads.changed[5] = leads.changed[3 * BATCH_ROWS - 1] = now
        told += [row.id for row in page]
    assert sorted(told) == list(range(3 * BATCH_ROWS))
    assert told[-1] == 5


async def test_all_leads_are_told_a_page_at_a_time() -> None:
    leads = Changing(2 * BATCH_ROWS + 1)
    assert await ids(all_leads(leads.read, Query(), lambda: NOON)) == [*range(2 * BATCH_ROWS, -1, -1)]
    assert [query.limit for query in leads.asked] == 3 * [BATCH_ROWS]
