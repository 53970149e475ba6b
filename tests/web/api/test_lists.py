"""Lists of the API: pages, filters, CSV, and problems that name the field."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.store.database import NOON
from tests.web.api.documented import schemas
from tests.web.conftest import Private


async def test_pages_follow_their_cursors(private: Private) -> None:
    for n in range(5):
        private.db.call(f"c{n}", NOON + timedelta(seconds=n))
    found, path = [], "/api/v1/calls?limit=2"
    cursor = ""
    while cursor is not None:
        page = await private.json(path + (f"&cursor={cursor}" if cursor else ""))
        found += [each["call_sid"] for each in page["items"]]
        cursor = page["next"]
    assert found == ["c4", "c3", "c2", "c1", "c0"]


@pytest.mark.parametrize("number", ["%2B919876543210", "+919876543210", "09876543210", "98765 43210"])
async def test_a_number_is_found_in_any_spelling(private: Private, number: str) -> None:
    private.db.call("mine")
    private.db.call("other", caller="+919000000001")
    page = await private.json(f"/api/v1/calls?number={number}")
    assert [each["call_sid"] for each in page["items"]] == ["mine"]


@pytest.mark.parametrize(
    "period",
    [
        "since=2026-11-23T12:00:00%2B05:30",
        "since=2026-11-23T12:00:00+05:30",
        "since=2026-11-23T06:30:00Z",
        "since=2026-11-23T12:00",
        "since=2026-11-23&until=2026-11-24",
    ],
)
async def test_instants_in_any_spelling_local_time_if_they_do_not_say(private: Private, period: str) -> None:
    private.db.call("before", NOON - timedelta(hours=13))
    private.db.call("at")
    page = await private.json(f"/api/v1/calls?{period}")
    assert [each["call_sid"] for each in page["items"]] == ["at"]
    assert (await private.json(f"/api/v1/analytics?{period}"))["total_calls"] == 1


async def test_a_list_for_a_spreadsheet(private: Private) -> None:
    for n in range(3):
        private.db.suppression(f"+91900000000{n}", NOON + timedelta(seconds=n), reason='=HYPERLINK("x"), "y"')
    response = await private.get("/api/v1/suppressions?format=csv&limit=2")
    assert response.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(await response.get_data(as_text=True))))
    assert [row["number"] for row in rows] == ["+919000000002", "+919000000001"]
    assert rows[0]["reason"] == '\'=HYPERLINK("x"), "y"'
    assert rows[0]["until"] == ""
    following = re.fullmatch(r'<(.*)>; rel="next"', response.headers["Link"])
    assert following
    text = await (await private.get(following[1])).get_data(as_text=True)
    assert [row["number"] for row in csv.DictReader(io.StringIO(text))] == ["+919000000000"]


@pytest.mark.parametrize("name", ["calls", "actions", "leads", "suppressions"])
async def test_each_list_has_its_columns_also_when_it_is_empty(private: Private, name: str) -> None:
    text = await (await private.get(f"/api/v1/{name}?format=csv")).get_data(as_text=True)
    columns = text.strip().split(",")
    item = {"calls": "Call", "actions": "ListedAction", "leads": "Lead", "suppressions": "Suppression"}[name]
    assert set(columns) == set(schemas()[item]["properties"])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("calls?limit=0", "limit"),
        ("calls?limit=1001", "limit"),
        ("calls?limit=ten", "limit"),
        ("calls?limit=%D9%A7", "limit"),
        ("calls?number=anonymous", "number"),
        ("calls?since=yesterday", "since"),
        ("calls?until=2026-13-01", "until"),
        ("calls?since=0001-01-01T00:00:00%2B23:59", "since"),
        ("calls?since=2026-11-24&until=2026-11-23", "until"),
        ("calls?cursor=nonsense", "cursor"),
        ("leads?format=xml", "format"),
        ("actions?kind=tea", "kind"),
        ("actions?state=lost", "state"),
        ("actions?outcome=lost", "outcome"),
        ("actions?parked=1", "parked"),
        ("actions?settled=no", "settled"),
        ("analytics?since=x", "since"),
    ],
)
async def test_bad_input_is_a_problem_that_names_the_field(private: Private, path: str, field: str) -> None:
    response = await private.get(f"/api/v1/{path}")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    problem = await response.get_json(force=True)
    assert (problem["status"], problem["field"]) == (400, field)
    assert problem["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("path", ["/api/v1/calls/none", "/api/v1/nothing", "/api/", "/api/v2/calls"])
async def test_what_is_not_there_is_a_problem(private: Private, path: str) -> None:
    response = await private.get(path)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


async def test_a_wrong_method_says_which_are_right(private: Private) -> None:
    response = await private.app.test_client().put("/api/v1/suppressions")
    assert (response.status_code, response.content_type) == (405, "application/problem+json")
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))
