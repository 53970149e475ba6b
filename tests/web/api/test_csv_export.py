"""CSV for spreadsheets: all that the filter selects, a page at a time, with no text that would be run."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from quart import request

from missedd.core.api_types.campaigns import ByJson
from missedd.core.pagination import BATCH_ROWS
from missedd.web.api.csv_export import to_csv
from missedd.web.shared.sse import CLIENT_GONE
from tests.store.database import NOON
from tests.web.conftest import Private

MANY = 4 * BATCH_ROWS + 3


@pytest.fixture
def filled(private: Private) -> Private:
    call = private.db.call("abc")
    for n in range(MANY):
        private.db.lead(call, f"+9190{n:08}", status="contacted" if n % 4 else "new", updated_at=NOON)
    return private


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch, filled: Private) -> list[int]:
    """The limits that the store was asked for, as it was asked for leads."""
    asked: list[int] = []
    fetch_all = filled.db.fetch_all

    async def counting(sql: str, params: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        if "FROM leads" in sql:
            asked.append(int(str(params[-1])) - 1)
        return await fetch_all(sql, params)

    monkeypatch.setattr(filled.db, "fetch_all", counting)
    return asked


async def rows(private: Private, query: str) -> list[dict[str, str]]:
    response = await private.get(f"/api/v1/leads?format=csv{query}")
    assert response.status_code == 200
    assert "Link" not in response.headers
    return list(csv.DictReader(io.StringIO(await response.get_data(as_text=True))))


async def test_all_that_the_filter_selects(filled: Private, pages: list[int]) -> None:
    numbers = [row["number"] for row in await rows(filled, "")]
    assert numbers == [f"+9190{n:08}" for n in reversed(range(MANY))]
    assert pages == [1, *5 * [BATCH_ROWS]]
    assert len(await rows(filled, "&status=new")) == (MANY + 3) // 4
    assert len(await rows(filled, "&updated_since=2026-11-22")) == MANY


async def test_on_from_a_cursor_and_only_as_many_as_were_asked_for(filled: Private) -> None:
    page = await filled.json("/api/v1/leads?limit=3")
    assert len(await rows(filled, f"&cursor={page['next']}")) == MANY - 3
    response = await filled.get("/api/v1/leads?format=csv&limit=3")
    assert len((await response.get_data(as_text=True)).splitlines()) == 4
    assert 'rel="next"' in response.headers["Link"]
    assert (await filled.get("/api/v1/leads?format=csv&cursor=none")).status_code == 400


async def test_who_asks_for_the_head_gets_no_rows(filled: Private, pages: list[int]) -> None:
    response = await filled.app.test_client().head("/api/v1/leads?format=csv")
    assert (response.status_code, await response.get_data()) == (200, b"")
    assert pages == [1]


async def test_nothing_is_read_for_a_reader_who_has_left(filled: Private, pages: list[int]) -> None:
    filled.app.before_request(lambda: request.scope[CLIENT_GONE].set())  # type: ignore[typeddict-item]
    response = await filled.get("/api/v1/leads?format=csv")
    await response.get_data()
    assert pages == [1, BATCH_ROWS]


@pytest.mark.parametrize("ago", ["30m", "1h", "2d", "2026-11-23T11:30:00"])
async def test_how_long_ago_wherever_there_is_a_period(private: Private, ago: str) -> None:
    private.clock.at = NOON + timedelta(minutes=20)
    call = private.db.call("abc", NOON)
    private.db.lead(call, updated_at=NOON)
    private.db.lead(call, "+919000000001", updated_at=NOON - timedelta(days=3), first_seen_at=NOON)
    assert len((await private.json(f"/api/v1/leads?updated_since={ago}"))["items"]) == 1
    assert len((await private.json(f"/api/v1/calls?since={ago}"))["items"]) == 1
    assert len((await private.json("/api/v1/calls?since=2d&until=1h"))["items"]) == 0
    assert (await private.json(f"/api/v1/analytics?since={ago}"))["total_calls"] == 1


async def test_what_is_no_time_is_told_with_what_is(private: Private) -> None:
    response = await private.get("/api/v1/leads?updated_since=yesterday")
    assert response.status_code == 400
    assert "no time ago like 24h" in (await response.get_json())["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+A1",
        "-1+2",
        "@SUM",
        "＝1",
        "＋A1",
        "－A1",
        "＠A1",
        "\t=1",
        "\r=1",
        "\tx",
        "\rx",
        " =1",
        "\ufeff=1",
    ],
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    (line,) = csv.DictReader(io.StringIO(to_csv(ByJson, [ByJson(text, None)]), newline=""))
    assert line["source"] == "'" + text


@pytest.mark.parametrize("text", ["+919876543210", "-5", "plain", " plain", "a=b", "+232*", "१२"])
def test_what_it_would_not_run_stays_as_it_is(text: str) -> None:
    (line,) = csv.DictReader(io.StringIO(to_csv(ByJson, [ByJson(text, None)])))
    assert line["source"] == text
