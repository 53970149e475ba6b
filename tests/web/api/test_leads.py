"""The API of leads and conversions, as a CRM meets it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from msgspec import to_builtins

from missedd.core.api_types.conversions import ConversionJson
from missedd.core.people.conversions import ConversionInput, StoredConversion, UnknownCaller
from missedd.core.people.leads import LeadStatus
from tests.store.database import CALLER, NOON
from tests.web.api.documented import conforms, schemas
from tests.web.conftest import Private

CONVERSION = ConversionJson(
    id=7,
    reference="o1",
    campaign="admissions",
    number=CALLER,
    call_sid="abc",
    at="2026-11-23T06:30:00.000Z",
    value=2500.0,
    lead=1,
    created_at="2026-11-23T06:30:00.000Z",
)


async def post(private: Private, path: str, body: Any) -> Any:
    return await private.app.test_client().post(f"/api/v1/{path}", json=body)


async def test_leads_by_status_and_by_change(private: Private) -> None:
    call = private.db.call("abc")
    for n, status in enumerate(["new", "contacted", "new"]):
        changed = NOON + timedelta(minutes=n)
        private.db.lead(call, f"+91900000000{n}", status=status, updated_at=changed, callback_outcome="busy")
    page = await private.json("/api/v1/leads?status=new")
    assert [each["id"] for each in page["items"]] == [3, 1]
    assert all(conforms(each, schemas()["Lead"]) for each in page["items"])
    page = await private.json("/api/v1/leads?updated_since=2026-11-23T12:01:00&limit=1")
    assert [each["id"] for each in page["items"]] == [3]
    page = await private.json(
        f"/api/v1/leads?updated_since=2026-11-23T12:01:00&limit=1&cursor={page['next']}"
    )
    assert ([each["id"] for each in page["items"]], page["next"]) == ([2], None)
    text = await (await private.get("/api/v1/leads?format=csv&status=contacted")).get_data(as_text=True)
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["number"], row["status"], row["callback_outcome"]) == ("+919000000001", "contacted", "busy")


async def test_one_lead_has_the_documented_shape_and_takes_a_status(private: Private) -> None:
    private.db.lead(private.db.call("abc"))
    lead = await private.json("/api/v1/leads/1")
    assert conforms(lead, schemas()["Lead"])
    client = private.app.test_client()
    response = await client.patch("/api/v1/leads/1", json={"status": "contacted"})
    assert (response.status_code, await response.get_json()) == (200, lead)
    assert private.operator.marked == [(1, LeadStatus.CONTACTED)]
    for path, status in (("2", 404), ("x", 400), ("0", 400), ("9" * 19, 400)):
        response = await client.get(f"/api/v1/leads/{path}")
        assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert (await client.patch("/api/v1/leads/2", json={"status": "new"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "status"),
        ({"status": "lost"}, "status"),
        ({"status": ["new"]}, "status"),
        ({"status": "new", "why": ""}, "why"),
    ],
)
async def test_a_bad_word_about_a_lead(private: Private, body: Any, field: str) -> None:
    response = await private.app.test_client().patch("/api/v1/leads/1", json=body)
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field
    assert private.operator.marked == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("leads?status=lost", "status"),
        ("leads?updated_since=x", "updated_since"),
        ("conversions?since=x", "since"),
    ],
)
async def test_a_bad_filter_is_named(private: Private, path: str, field: str) -> None:
    response = await private.get(f"/api/v1/{path}")
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field


async def test_a_conversion_is_created_once(private: Private) -> None:
    private.operator.answers = [
        StoredConversion(CONVERSION, is_repeated=False),
        StoredConversion(CONVERSION, is_repeated=True, conflicting_fields=("value",)),
    ]
    body = {"number": "098765 43210", "at": "2026-11-23T12:00", "value": 2500, "reference": " o1 "}
    first = await post(private, "conversions", body)
    assert first.status_code == 201
    told = await first.get_json()
    assert told == {**to_builtins(CONVERSION), "repeated": False, "differs": []}
    assert conforms(told, schemas()["Converted"])
    again = await post(private, "conversions", {"call_sid": "abc", "campaign": "news", "reference": "o1"})
    assert (again.status_code, await again.get_json()) == (
        200,
        {**to_builtins(CONVERSION), "repeated": True, "differs": ["value"]},
    )
    assert private.operator.converted == [
        ([ConversionInput("o1", CALLER, at=NOON, value=2500.0)], False),
        ([ConversionInput("o1", call_sid="abc", campaign="news")], False),
    ]


async def test_a_conversion_of_a_number_that_never_called_is_not_found(private: Private) -> None:
    private.operator.answers = [UnknownCaller("number", "has never called a campaign")]
    response = await post(private, "conversions", {"number": CALLER, "reference": "o1"})
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
    problem = await response.get_json(force=True)
    assert (problem["field"], problem["detail"]) == ("number", "number: has never called a campaign")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": None}, "number"),
        ({"number": "anonymous"}, "number"),
        ({"number": 98}, "number"),
        ({"number": None, "call_sid": ""}, "call_sid"),
        ({"call_sid": 5}, "call_sid"),
        ({"campaign": ""}, "campaign"),
        ({"reference": None}, "reference"),
        ({"reference": ""}, "reference"),
        ({"reference": "x" * 201}, "reference"),
        ({"reference": 5}, "reference"),
        ({"at": "later"}, "at"),
        ({"at": "2026-11-23T12:01:01"}, "at"),
        ({"at": 5}, "at"),
        ({"value": -1}, "value"),
        ({"value": "5"}, "value"),
        ({"value": True}, "value"),
        ({"value": 10**400}, "value"),
        ({"order": "x"}, "order"),
    ],
)
async def test_a_bad_conversion_is_refused(private: Private, change: dict[str, Any], field: str) -> None:
    body = {"number": CALLER, "reference": "o1"} | change
    response = await post(private, "conversions", body)
    assert response.status_code == 400
    problem = await response.get_json(force=True)
    assert (problem["field"], problem["detail"].startswith(f"{field}: ")) == (field, True)
    # The same one in a batch harms nobody else.
    private.operator.answers = [StoredConversion(CONVERSION, is_repeated=False)]
    batch = await post(private, "conversions/batch", {"items": [body, {"number": CALLER, "reference": "o2"}]})
    assert batch.status_code == 200
    answers = (await batch.get_json())["items"]
    assert answers[0] == {
        "status": 400,
        "field": field,
        "detail": problem["detail"],
        "conversion": None,
    }
    assert answers[1]["status"] == 201


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
async def test_a_value_that_is_no_number(private: Private, number: str) -> None:
    response = await private.app.test_client().post(
        "/api/v1/conversions",
        data=f'{{"number": "{CALLER}", "reference": "o1", "value": {number}}}',
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == "value"


async def test_a_minute_ahead_is_a_clock_and_not_the_future(private: Private) -> None:
    private.operator.answers = [StoredConversion(CONVERSION, is_repeated=False)]
    body = {"number": CALLER, "reference": "o1", "at": "2026-11-23T12:01:00"}
    assert (await post(private, "conversions", body)).status_code == 201


async def test_a_batch_is_answered_item_by_item(private: Private) -> None:
    private.operator.answers = [
        StoredConversion(CONVERSION, is_repeated=False),
        UnknownCaller("call_sid", "no missed call has it"),
        StoredConversion(CONVERSION, is_repeated=True),
    ]
    items: list[Any] = [
        {"number": CALLER, "reference": "o1"},
        "nonsense",
        {"call_sid": "x", "reference": "o2"},
        {"number": CALLER, "reference": "o1"},
    ]
    response = await post(private, "conversions/batch", {"items": items, "dry_run": True})
    told = await response.get_json()
    assert conforms(told, schemas()["BatchAnswer"])
    assert [each["status"] for each in told["items"]] == [201, 400, 404, 200]
    assert told["items"][1]["detail"] == "is no JSON object"
    assert told["items"][2]["field"] == "call_sid"
    ((said, dry_run),) = private.operator.converted
    assert ([each.reference for each in said], dry_run) == (["o1", "o2", "o1"], True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"items": [{}] * 501}, "items"),
        ({"items": [{}], "dry_run": 1}, "dry_run"),
        ({"items": [{}], "dryrun": True}, "dryrun"),
    ],
)
async def test_what_is_no_batch(private: Private, body: Any, field: str) -> None:
    response = await post(private, "conversions/batch", body)
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field
    assert private.operator.converted == []


async def test_the_list_of_conversions(private: Private) -> None:
    call = private.db.call("abc")
    for n in range(3):
        private.db.put(
            "conversions",
            reference=f"o{n}",
            campaign="admissions",
            number=CALLER,
            call_id=call,
            at=NOON,
            value=None if n else 9.5,
            created_at=NOON,
        )
    page = await private.json("/api/v1/conversions?limit=2")
    assert [each["reference"] for each in page["items"]] == ["o2", "o1"]
    assert all(conforms(each, schemas()["Conversion"]) for each in page["items"])
    page = await private.json(f"/api/v1/conversions?limit=2&cursor={page['next']}")
    assert [(each["reference"], each["value"]) for each in page["items"]] == [("o0", 9.5)]
    assert (await private.json("/api/v1/conversions?reference=o1"))["items"][0]["call_sid"] == "abc"
    text = await (await private.get("/api/v1/conversions?format=csv&reference=none")).get_data(as_text=True)
    assert set(text.strip().split(",")) == set(schemas()["Conversion"]["properties"])
