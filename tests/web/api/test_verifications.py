"""Verifications through the API: what is asked, what is answered, and refusals that a program understands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import to_builtins

from missedd.core.api_types.verifications import VerificationJson
from missedd.core.people.verification import VerificationRefusal
from missedd.core.reasons import Reason
from missedd.web.api.openapi import build_document
from tests.core.objects import made
from tests.store.database import CALLER, NOON
from tests.web.conftest import Private

PATH = "/api/v1/verifications"
STARTED = made(VerificationJson, id="v1", number=CALLER, call="+918047120001", status="pending")


async def test_starting_one_and_asking_after_it(private: Private) -> None:
    private.verifier.answer = STARTED
    client = private.app.test_client()
    response = await client.post(PATH, json={"number": "098765 43210", "campaign": "signup"})
    assert (response.status_code, await response.get_json()) == (201, to_builtins(STARTED))
    assert response.headers["Location"] == f"{PATH}/v1"
    assert private.verifier.asked == [(CALLER, "signup")]
    private.verifier.known["v1"] = STARTED
    assert await private.json(f"{PATH}/v1") == to_builtins(STARTED)
    absent = await private.get(f"{PATH}/v2")
    assert (absent.status_code, absent.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"campaign": "signup"}, "number"),
        ({"number": "nobody", "campaign": "signup"}, "number"),
        ({"number": CALLER}, "campaign"),
        ({"number": CALLER, "campaign": 7}, "campaign"),
        ({"number": CALLER, "campaign": "signup", "ttl": "1h"}, "ttl"),
    ],
)
async def test_a_bad_request_is_refused(private: Private, body: dict[str, Any], field: str) -> None:
    response = await private.app.test_client().post(PATH, json=body)
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field
    assert private.verifier.asked == []


@pytest.mark.parametrize("reason", [Reason.UNKNOWN_CAMPAIGN, Reason.VERIFIES_NOTHING])
async def test_a_campaign_that_verifies_nothing_is_named(private: Private, reason: Reason) -> None:
    private.verifier.answer = VerificationRefusal(reason)
    response = await private.app.test_client().post(PATH, json={"number": CALLER, "campaign": "x"})
    assert response.status_code == 400
    assert await response.get_json(force=True) == {
        "title": "Bad Request",
        "status": 400,
        "detail": f"campaign: {reason.words}",
        "field": "campaign",
    }


async def test_too_many_say_when_another_may_start(private: Private) -> None:
    retry_at = NOON + timedelta(seconds=89.2)
    private.verifier.answer = VerificationRefusal(Reason.TOO_MANY_VERIFICATIONS, retry_at)
    response = await private.app.test_client().post(PATH, json={"number": CALLER, "campaign": "x"})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "90")
    assert response.content_type == "application/problem+json"
    problem = await response.get_json(force=True)
    assert (problem["reason"], problem["field"]) == ("too-many-verifications", "number")
    assert "2026-11-23T06:31:29.200Z" in problem["detail"]
    assert set(problem) <= set(build_document()["components"]["schemas"]["Problem"]["properties"])
