"""A name that the API does not know is said to be none: never an empty answer, or one to something else."""

from __future__ import annotations

import pytest

from missedd.web.api.openapi import build_document
from missedd.web.api.unknown_parameters import query_parameters
from tests.web.conftest import Private

COMMON = ("campaign=admissions", "number=9876543210", "since=2026-11-23", "until=2026-11-24")
PAGE = ("limit=5", "cursor=", "format=json")
LISTS = ("calls", "actions", "leads", "conversions", "subscriptions", "suppressions", "audit")


async def refused(private: Private, path: str, status: int = 400) -> tuple[str, str]:
    """The field that a problem names, and what it says."""
    response = await private.get(f"/api/v1/{path}")
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    problem = await response.get_json(force=True)
    return problem["field"], problem["detail"]


@pytest.mark.parametrize("name", LISTS)
async def test_every_list_takes_the_common_parameters_and_no_slip_of_them(
    private: Private, name: str
) -> None:
    await private.json(f"/api/v1/{name}?{'&'.join((*COMMON, *PAGE))}")
    field, detail = await refused(private, f"{name}?nummber=1")
    assert field == "nummber"
    assert detail.startswith("nummber: is none of campaign, since, until, number, limit, cursor, format")
    assert (await private.app.test_client().head(f"/api/v1/{name}?nummber=1")).status_code == 400


async def test_the_figures_take_a_campaign_and_a_period(private: Private) -> None:
    await private.json("/api/v1/analytics?campaign=admissions&since=2026-11-23&until=")
    assert await refused(private, "analytics?campain=admissions") == (
        "campain",
        "campain: is none of campaign, since, until",
    )


async def test_what_the_document_tells_of_is_what_is_taken(private: Private) -> None:
    found = query_parameters(build_document())
    assert set(found) == {f"/api/v1/{name}" for name in (*LISTS, "analytics")}
    for path, names in found.items():
        for name in names:
            assert (await private.get(f"{path}?{name}=")).status_code == 200
            assert (await private.get(f"{path}?{name}s=")).status_code == 400


async def test_a_campaign_with_figures_is_configured_or_of_the_past(private: Private) -> None:
    private.db.call("a", campaign="last-year")
    for known in ("admissions", "other", "last-year", ""):
        await private.json(f"/api/v1/analytics?campaign={known}")
    assert await refused(private, "analytics?campaign=shpo") == (
        "campaign",
        "campaign: there is no campaign 'shpo'; known are admissions, other, last-year",
    )


async def test_a_list_of_an_unknown_campaign_is_empty(private: Private) -> None:
    private.db.call("a")
    assert (await private.json("/api/v1/calls?campaign=shpo"))["items"] == []


async def test_only_what_is_asked_for_in_a_query_is_looked_at(private: Private) -> None:
    private.db.call("a")
    await private.json("/api/v1/calls/a?at=1")
    private.operator.parked[7] = 9
    assert (await private.app.test_client().post("/api/v1/actions/7/resend?x=1")).status_code == 202
