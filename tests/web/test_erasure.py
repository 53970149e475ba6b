"""Erasing a number through the API, and what the pages show in its place."""

from __future__ import annotations

import pytest

from missedd.core.deeds import Source
from missedd.core.erasure import Erased, NotErased
from tests.store.database import CALLER
from tests.web.conftest import Private
from tests.web.test_private_api import conforms, schemas


async def test_a_number_is_erased_in_any_spelling(private: Private) -> None:
    private.operator.erasure = Erased("erased:17", suppressions=1, consents=2)
    response = await private.app.test_client().post("/api/v1/numbers/09876543210/erase")
    told = await response.get_json()
    assert (response.status_code, private.operator.erased) == (200, [CALLER])
    assert told == {"pseudonym": "erased:17", "suppressions": 1, "consents": 2}
    assert conforms(told, schemas()["Erased"])
    assert private.operator.by[0].source is Source.API


@pytest.mark.parametrize(
    ("why", "status", "words"),
    [
        (NotErased.UNKNOWN, 404, "nothing that could be erased"),
        (NotErased.STILL_OWED, 409, "still owed"),
        (NotErased.BEING_VERIFIED, 409, "waits for its call"),
        (NotErased.POLL_OPEN, 409, "vote again"),
    ],
)
async def test_it_says_why_not(private: Private, why: NotErased, status: int, words: str) -> None:
    private.operator.erasure = why
    response = await private.app.test_client().post(f"/api/v1/numbers/{CALLER}/erase")
    assert (response.status_code, words in (await response.get_json())["detail"]) == (status, True)


async def test_what_is_no_number_is_a_bad_request(private: Private) -> None:
    for number in ("erased:17", "junk"):
        assert (await private.app.test_client().post(f"/api/v1/numbers/{number}/erase")).status_code == 400


async def test_the_pages_show_the_pseudonym_and_no_link(private: Private) -> None:
    call = private.db.call("c1", caller="erased:17")
    private.db.lead(call, "erased:17")
    for path in ("/leads", "/"):
        page = await (await private.get(path)).get_data(as_text=True)
        assert "erased:17" in page
        assert "/numbers/erased" not in page
    assert (await private.json("/api/v1/leads"))["items"][0]["number"] == "erased:17"


async def test_a_pseudonym_finds_what_bears_it(private: Private) -> None:
    call = private.db.call("c1", caller="erased:17")
    private.db.lead(call, "erased:17")
    private.db.lead(private.db.call("c2"))
    page = await private.json("/api/v1/calls?number=erased:17")
    assert [each["call_sid"] for each in page["items"]] == ["c1"]
    page = await private.json("/api/v1/leads?number=erased:17")
    assert [each["number"] for each in page["items"]] == ["erased:17"]
    shown = await (await private.get("/leads?number=erased:17")).get_data(as_text=True)
    assert shown.count('data-label="Number"') == 1
    assert (await private.get("/api/v1/calls?number=erased:")).status_code == 400
