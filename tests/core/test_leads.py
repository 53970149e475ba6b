"""A lead goes forwards by itself, and never back."""

from __future__ import annotations

from itertools import product

import pytest

from missedd.core.leads import LeadNews, LeadStatus, advance

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
    assert advance(LeadStatus(status), LeadNews(news)) == follows


def test_never_back_and_no_longer_moved_by_the_same_news() -> None:
    for status, news in product(LeadStatus, LeadNews):
        after = advance(status, news)
        assert ORDER.index(after) >= ORDER.index(status)
        assert advance(after, news) is after
