"""The lists through the API: consents with their evidence, and taking somebody off."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from missedd.core.api_types.consents import SubscriptionJson
from missedd.web.api.openapi import build_document
from tests.store.database import CALLER, NOON
from tests.web.conftest import Private


def filled(private: Private) -> None:
    joined, left = private.db.call("c1"), private.db.call("c2", NOON + timedelta(minutes=9))
    private.db.subscription(
        joined,
        standing="withdrawn",
        withdrawn_at=NOON + timedelta(minutes=9),
        withdrawn_by="missed-call",
        withdrawal_call_id=left,
    )
    private.db.subscription(joined, standing="repeated")
    private.db.subscription(private.db.call("c3"), "+919812345678", list="sky, sun", purpose="=1+1")


async def test_a_list_shows_its_consents(private: Private) -> None:
    filled(private)
    page = await private.json("/api/v1/subscriptions?list=weather")
    (consent,) = page["items"]
    assert page["next"] is None
    assert set(consent) == set(build_document()["components"]["schemas"]["Subscription"]["properties"])
    assert (consent["number"], consent["call_sid"], consent["state"]) == (CALLER, "c1", "withdrawn")
    assert (consent["consented_at"], consent["withdrawal_call_sid"]) == ("2026-11-23T06:30:00.000Z", "c2")
    assert [each["list"] for each in (await private.json("/api/v1/subscriptions"))["items"]] == [
        "sky, sun",
        "weather",
    ]
    for query, count in (("state=in-force", 1), ("state=withdrawn&list=weather", 1), ("campaign=x", 0)):
        assert len((await private.json(f"/api/v1/subscriptions?{query}"))["items"]) == count


async def test_the_ledger_for_a_spreadsheet(private: Private) -> None:
    filled(private)
    response = await private.get("/api/v1/subscriptions?format=csv&limit=1")
    header, line = csv.reader(io.StringIO(await response.get_data(as_text=True)))
    assert header == list(SubscriptionJson.columns())
    assert dict(zip(header, line, strict=True)) | {"call_sid": "c3"} == {
        "list": "sky, sun",
        "number": "+919812345678",
        "purpose": "'=1+1",
        "state": "in-force",
        "campaign": "admissions",
        "exophone": "+918047120001",
        "call_sid": "c3",
        "consented_at": "2026-11-23T06:30:00.000Z",
        "withdrawn_at": "",
        "withdrawn_by": "",
        "withdrawal_call_sid": "",
    }
    assert 'rel="next"' in response.headers["Link"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=planned", "state"), ("number=x", "number"), ("since=x", "since"), ("cursor=x", "cursor")],
)
async def test_bad_filters_are_named(private: Private, query: str, field: str) -> None:
    response = await private.get(f"/api/v1/subscriptions?{query}")
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field


async def test_taking_a_number_off(private: Private) -> None:
    private.operator.subscribed.add(("sky, sun", CALLER))
    client = private.app.test_client()
    assert (await client.delete("/api/v1/subscriptions/sky, sun/098765 43210")).status_code == 204
    absent = await client.delete("/api/v1/subscriptions/weather/098765 43210")
    assert (absent.status_code, absent.content_type) == (404, "application/problem+json")
    wrong = await client.delete("/api/v1/subscriptions/weather/nobody")
    assert ((await wrong.get_json(force=True))["field"], wrong.status_code) == ("number", 400)
