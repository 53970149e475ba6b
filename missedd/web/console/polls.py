"""Polls as they stand, live: a stream tells the page when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from quart import Blueprint

from missedd.web.api.polls import poll_now, polls_now
from missedd.web.console.context import House
from missedd.web.console.render import page

STREAMS: Final = 2
"""A browser has six connections to one place: a page with more polls asks every few seconds instead."""


def add_polls(console: Blueprint, house: House) -> None:
    @console.get("/polls")
    async def polls() -> str:
        found = await polls_now(house.reads, house.policy, house.clock)
        return await _page("Polls", found)

    @console.get("/polls/<poll>")
    async def poll(poll: str) -> str:
        return await _page(poll, [await poll_now(poll, house.reads, house.policy, house.clock)])


async def _page(title: str, found: list[dict[str, Any]]) -> str:
    is_followed = len(found) <= STREAMS
    events = [f"/api/v1/polls/{quote(each['poll'], safe='')}/events" for each in found]
    return await page(
        "polls.html",
        here="/polls",
        title=title,
        polls=[each | {"bars": bars(each)} for each in found],
        events=" ".join(events) if is_followed else "",
    )


def bars(poll: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each option with its share of all votes and its length beside the leader's."""
    most = max((each["votes"] for each in poll["options"]), default=0) or 1
    total = poll["total"]
    return [
        {
            **each,
            "share": each["votes"] / total if total else None,
            "length": each["votes"] / most,
            "leads": total > 0 and each["votes"] == most,
        }
        for each in poll["options"]
    ]
