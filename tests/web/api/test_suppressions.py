"""Suppressions by the API: a number, or every number with a prefix."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from missedd.base.clock import from_us
from tests.store.database import CALLER, NOON
from tests.web.conftest import Private


async def test_suppressing_and_letting_go(private: Private) -> None:
    client = private.app.test_client()
    body = {"number": "098765 43210", "reason": "asked by phone", "until": "2026-12-01T00:00:00+05:30"}
    response = await client.post("/api/v1/suppressions", json=body)
    assert response.status_code == 201
    told = await response.get_json()
    assert told == {"number": CALLER, "reason": "asked by phone", "until": "2026-11-30T18:30:00.000Z"}
    reason, until = private.operator.suppressed[CALLER]
    assert (reason, until) == ("asked by phone", from_us(1_796_063_400_000_000))
    for spelling, status in (("09876543210", 204), ("+919876543210", 404), ("nobody", 400)):
        assert (await client.delete(f"/api/v1/suppressions/{spelling}")).status_code == status
    response = await client.post(
        "/api/v1/suppressions", json={"number": CALLER, "reason": "x", "until": None}
    )
    assert response.status_code == 201
    assert private.operator.suppressed[CALLER] == ("x", None)


@pytest.mark.parametrize("spelt", ["+232*", "00232*", "+232 *", "\u202a+２３２*\u202c", " +232*"])
async def test_suppressing_all_that_begin_alike(private: Private, spelt: str) -> None:
    client = private.app.test_client()
    response = await client.post("/api/v1/suppressions", json={"number": spelt, "reason": "fraud"})
    assert (response.status_code, (await response.get_json())["number"]) == (201, "+232*")
    assert private.operator.suppressed == {"+232*": ("fraud", None)}
    assert (await client.delete("/api/v1/suppressions/%2B232*")).status_code == 204
    assert private.operator.suppressed == {}


async def test_a_number_that_only_a_prefix_bars(private: Private) -> None:
    private.db.suppression("+232*", reason="fraud")
    private.db.put(
        "suppressions",
        **{"number": CALLER, "channel": "sms", "class": "sender", "sender": "EXAMPL", "reason": "sms 23020"},
        source="provider",
        since_at=NOON,
    )
    client = private.app.test_client()
    response = await client.delete("/api/v1/suppressions/+23276123456")
    assert response.status_code == 404
    told = await response.get_json(force=True)
    assert told["detail"] == "the number is not suppressed by itself, but by +232*"
    (listed,) = (await private.json("/api/v1/suppressions?number=%2B23276123456"))["items"]
    assert (listed["number"], listed["channel"], listed["class"]) == ("+232*", "all", None)
    text = await (await private.get("/api/v1/suppressions?format=csv")).get_data(as_text=True)
    rows = {row["number"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["+232*"]["class"] == ""
    assert (rows[CALLER]["class"], rows[CALLER]["sender"]) == ("sender", "EXAMPL")
    assert len((await private.json("/api/v1/suppressions?number=%2B232*"))["items"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"number": "+*", "reason": "x"}, "number"),
        ({"number": "*", "reason": "x"}, "number"),
        ({"number": "080*", "reason": "x"}, "number"),
        ({"number": "+23*2", "reason": "x"}, "number"),
        ({"reason": "x"}, "number"),
        ({"number": 98, "reason": "x"}, "number"),
        ({"number": "anonymous", "reason": "x"}, "number"),
        ({"number": CALLER}, "reason"),
        ({"number": CALLER, "reason": "  "}, "reason"),
        ({"number": CALLER, "reason": "x" * 501}, "reason"),
        ({"number": CALLER, "reason": "\ud800"}, "reason"),
        ({"number": CALLER, "reason": "x", "until": "later"}, "until"),
        ({"number": CALLER, "reason": "x", "until": 5}, "until"),
        ({"number": CALLER, "reason": "x", "until": "2020-01-01"}, "until"),
        ({"number": CALLER, "reason": "x", "untill": "2027-01-01"}, "untill"),
    ],
)
async def test_a_bad_suppression_is_refused(private: Private, body: dict[str, Any], field: str) -> None:
    response = await private.app.test_client().post("/api/v1/suppressions", json=body)
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field
    assert private.operator.suppressed == {}
