"""The API of the quarantine after a restore."""

from __future__ import annotations

from functools import partial

import pytest

from missedd.store.actions.quarantine import start_quarantine
from missedd.store.db.group_commit import commit_group
from missedd.store.sqlite.inline_driver import InlineDatabase
from tests.store.database import NOON
from tests.web.conftest import Private


async def test_nothing_waits_where_nothing_was_restored(private: Private) -> None:
    assert await private.json("/api/v1/quarantine") == {"since": None, "actions": 0}


async def test_quarantine_has_the_time_of_its_start(private: Private) -> None:
    await commit_group(InlineDatabase(private.db._connection), [partial(start_quarantine, now=NOON)])
    assert (await private.json("/api/v1/quarantine"))["since"] == "2026-11-23T06:30:00.000Z"


@pytest.mark.parametrize(("body", "drop"), [({}, False), ({"drop": False}, False), ({"drop": True}, True)])
async def test_an_operator_ends_it(private: Private, body: dict[str, bool], drop: bool) -> None:
    response = await private.app.test_client().post("/api/v1/quarantine/release", json=body)
    assert (response.status_code, await response.get_json()) == (200, {"actions": 3})
    assert private.operator.released == [drop]


@pytest.mark.parametrize("body", [{"drop": "yes"}, {"drop": None}, {"dorp": True}, []])
async def test_what_is_unclear_ends_nothing(private: Private, body: object) -> None:
    response = await private.app.test_client().post("/api/v1/quarantine/release", json=body)
    assert (response.status_code, response.content_type) == (400, "application/problem+json")
    assert private.operator.released == []
