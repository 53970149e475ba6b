"""The API of the campaigns: how they stand, and their pause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from missedd.core.audit import Source
from tests.store.database import NOON
from tests.web.api.documented import conforms, schemas
from tests.web.conftest import Private

PATH = "/api/v1/campaigns/admissions/pause"


async def asked(private: Private, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return await private.app.test_client().open(path, method=method, json=body, headers=headers)


async def test_how_they_stand(private: Private) -> None:
    call = private.db.call("abc")
    private.db.action(call)
    private.db.action(call, state="held", reason="campaign-paused")
    private.db.done(call, "sms", "delivered")
    private.db.pause(until_at=NOON + timedelta(hours=1), peer="127.0.0.1")
    private.db.pause("other", until_at=NOON)
    found = await private.json("/api/v1/campaigns")
    assert all(conforms(each, schemas()["Campaign"]) for each in found["items"])
    first, second = found["items"][:2]
    assert (first["name"], first["owes"], first["open"]) == ("admissions", ["lead", "callback"], True)
    assert first["paused"] == {
        "since": "2026-11-23T06:30:00.000Z",
        "until": "2026-11-23T07:30:00.000Z",
        "why": "asked",
        "by": {"source": "api", "peer": "127.0.0.1"},
    }
    assert [(each["state"], each["reason"], each["count"]) for each in first["pending"]] == [
        ("held", "campaign-paused", 1),
        ("planned", "owed", 1),
    ]
    assert (second["exophones"], second["paused"], second["pending"]) == (["+918047120002"], None, [])


async def test_a_closed_one_says_when_it_opens(private: Private) -> None:
    private.clock.at = NOON + timedelta(hours=12)
    first, second = (await private.json("/api/v1/campaigns"))["items"][:2]
    assert (first["open"], first["opens_at"]) == (False, "2026-11-24T04:00:00.000Z")
    assert (second["open"], second["opens_at"]) == (True, None)


async def test_pausing_and_resuming(private: Private) -> None:
    response = await asked(private, "POST", PATH, {"why": " lunch ", "until": "2026-11-23T13:00"})
    assert response.status_code == 201
    said = await response.get_json()
    assert conforms(said, schemas()["Paused"])
    assert (said["campaign"], said["until"]) == ("admissions", "2026-11-23T07:30:00.000Z")
    pause = private.operator.paused["admissions"]
    assert (pause.why, pause.until, pause.by.source) == ("lunch", NOON + timedelta(hours=1), Source.API)
    assert (await asked(private, "POST", PATH, {"why": "on"}, **{"Missedd-By": "cli"})).status_code == 201
    assert private.operator.paused["admissions"].until is None
    assert private.operator.paused["admissions"].by.source is Source.CLI
    assert (await asked(private, "DELETE", PATH)).status_code == 204
    assert (await asked(private, "DELETE", PATH)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "why"),
        ({"why": "  "}, "why"),
        ({"why": 1}, "why"),
        ({"why": "x", "until": "soon"}, "until"),
        ({"why": "x", "until": "2026-11-23T12:00"}, "until"),
        ({"why": "x", "for": "1h"}, "for"),
    ],
)
async def test_what_is_unclear_pauses_nothing(private: Private, body: Any, field: str) -> None:
    response = await asked(private, "POST", PATH, body)
    assert (response.status_code, (await response.get_json())["field"]) == (400, field)
    assert private.operator.paused == {}


async def test_a_campaign_that_nobody_configured(private: Private) -> None:
    response = await asked(private, "POST", "/api/v1/campaigns/shop/pause", {"why": "x"})
    problem = await response.get_json(force=True)
    assert (response.status_code, problem["detail"]) == (
        404,
        "there is no campaign 'shop' in the configuration; known are admissions, other",
    )
    assert private.operator.paused == {}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_campaign_that_is_none_is_answered_with_those_that_are(private: Private, method: str) -> None:
    body = {"why": "lunch"} if method == "POST" else None
    answer = await asked(private, method, "/api/v1/campaigns/admisions/pause", body)
    assert answer.status_code == 404
    detail = (await answer.get_json())["detail"]
    assert "there is no campaign 'admisions' in the configuration; known are admissions, " in detail
    assert detail.endswith("; did you mean 'admissions'?")
