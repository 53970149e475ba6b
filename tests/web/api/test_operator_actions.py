"""What an operator changes by the API: bodies, webhooks that are sent again, unknown outcomes."""

from __future__ import annotations

from typing import Any

import pytest

from missedd.core.actions.resolution import Resolution
from missedd.core.model import Outcome
from tests.store.database import CALLER
from tests.web.api.documented import conforms, schemas
from tests.web.conftest import Private


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"number": "+919876543210", "reason": "x"}', "text/plain", 415),
        (b"number=1", "application/x-www-form-urlencoded", 415),
        (b" " * 300_000, "application/json", 413),
    ],
)
async def test_a_body_that_is_no_json_object(
    private: Private, data: bytes, content_type: str, status: int
) -> None:
    response = await private.app.test_client().post(
        "/api/v1/suppressions", data=data, headers={"Content-Type": content_type}
    )
    assert (response.status_code, response.content_type) == (status, "application/problem+json")


async def test_resending_a_parked_webhook(private: Private) -> None:
    client = private.app.test_client()
    private.operator.parked[7] = 9
    response = await client.post("/api/v1/actions/7/resend")
    assert (response.status_code, await response.get_json()) == (202, {"id": 9})
    for action_id, status in (
        ("8", 404),
        ("0", 400),
        ("x", 400),
        ("9" * 30, 400),
        ("9223372036854775808", 400),
        ("0" * 19 + "1" + "9" * 30, 400),
    ):
        assert (await client.post(f"/api/v1/actions/{action_id}/resend")).status_code == status


async def test_what_waits_for_a_person_and_what_did(private: Private) -> None:
    db, call = private.db, private.db.call("a")
    taken_later, never_taken, waiting = (
        db.done(call, "webhook", outcome) for outcome in ("failed", "failed", "refused")
    )
    db.done(call, "webhook", "delivered", origin_id=taken_later)
    once_more = db.done(call, "webhook", "failed", origin_id=never_taken)
    db.done(call, "sms", "failed")
    unknown = db.done(call, "callback", "unknown")
    settled = db.done(call, "callback", "unknown", settled_outcome="busy")
    db.action(call)

    async def ids(query: str) -> list[int]:
        return [each["id"] for each in (await private.json(f"/api/v1/actions?{query}"))["items"]]

    assert await ids("parked=true") == [once_more, waiting]
    assert await ids("parked=false") == [never_taken, taken_later]
    assert await ids("parked=true&outcome=refused&campaign=admissions") == [waiting]
    assert await ids("settled=false") == await ids("outcome=unknown&settled=false") == [unknown]
    assert await ids("settled=true") == [settled]
    assert await ids("parked=true&settled=false") == []
    assert await ids("outcome=unknown&parked=&settled=") == [settled, unknown]
    page = await private.json("/api/v1/actions?parked=true&limit=1")
    assert await ids(f"parked=true&limit=1&cursor={page['next']}") == [waiting]


async def test_settling_an_unknown_outcome(private: Private) -> None:
    client = private.app.test_client()
    body = {"outcome": "answered", "note": " she told us so "}
    response = await client.post("/api/v1/actions/7/settle", json=body)
    assert response.status_code == 200
    told = await response.get_json()
    assert told == {"id": 7, "outcome": "unknown", "settled_outcome": "answered"}
    assert conforms(told, schemas()["Settled"])
    private.operator.settlement = Resolution.UNCHANGED
    assert (await client.post("/api/v1/actions/8/settle", json={"outcome": "failed"})).status_code == 200
    assert private.operator.resolved == [
        (7, Outcome.ANSWERED, "she told us so"),
        (8, Outcome.FAILED, None),
    ]


@pytest.mark.parametrize(
    ("settlement", "status", "field"),
    [
        (Resolution.NO_SUCH_ACTION, 404, None),
        (Resolution.NOT_UNKNOWN, 409, None),
        (Resolution.SETTLED_OTHERWISE, 409, None),
        (Resolution.WRONG_OUTCOME, 400, "outcome"),
    ],
)
async def test_what_cannot_be_settled_says_why(
    private: Private, settlement: Resolution, status: int, field: str | None
) -> None:
    private.operator.settlement = settlement
    response = await private.app.test_client().post("/api/v1/actions/7/settle", json={"outcome": "busy"})
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert (await response.get_json(force=True)).get("field") == field


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("x", {"outcome": "busy"}, "id"),
        ("7", {}, "outcome"),
        ("7", {"outcome": "unknown"}, "outcome"),
        ("7", {"outcome": ["busy"]}, "outcome"),
        ("7", {"outcome": "busy", "note": "two\nlines"}, "note"),
        ("7", {"outcome": "busy", "note": 5}, "note"),
        ("7", {"outcome": "busy", "notes": "x"}, "notes"),
    ],
)
async def test_a_bad_settlement_is_refused(
    private: Private, path: str, body: dict[str, Any], field: str
) -> None:
    response = await private.app.test_client().post(f"/api/v1/actions/{path}/settle", json=body)
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field
    assert private.operator.resolved == []


async def test_a_page_of_another_site_may_change_nothing(private: Private) -> None:
    private.operator.parked[7] = 9
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 202), ("none", 202)):
        response = await private.app.test_client().post(
            "/api/v1/actions/7/resend", headers={"Sec-Fetch-Site": site}
        )
        assert response.status_code == status


async def test_our_own_mistakes_are_told_and_answered(private: Private) -> None:
    private.operator.error = ZeroDivisionError("secret")
    body = {"number": CALLER, "reason": "x"}
    response = await private.app.test_client().post("/api/v1/suppressions", json=body)
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert "secret" not in await response.get_data(as_text=True)
    assert [(path, type(error)) for path, error in private.failures] == [
        ("/api/v1/suppressions", ZeroDivisionError)
    ]
