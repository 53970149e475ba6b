"""The pages of polls. A stream of server-sent events tells an open page when to refresh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from quart import Blueprint

from missedd.core.api_types.polls import PollJson
from missedd.web.api.polls import poll_tallies, poll_tally
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page

MAX_LIVE_POLLS: Final = 2
"""A browser opens at most six connections to one host. A page with more polls refreshes every 2 s instead."""


def add_polls(console: Blueprint, context: ConsoleContext) -> None:
    @console.get("/polls")
    async def polls() -> str:
        found = await poll_tallies(context.read, context.policy, context.clock)
        return await _poll_page("Polls", found)

    @console.get("/polls/<poll>")
    async def poll(poll: str) -> str:
        return await _poll_page(poll, [await poll_tally(poll, context.read, context.policy, context.clock)])


class Option(NamedTuple):
    """An option with its share of all votes and its length beside the leader's."""

    option: str
    votes: int
    share: float | None
    length: float
    leads: bool


async def _poll_page(title: str, found: Sequence[PollJson]) -> str:
    is_followed = len(found) <= MAX_LIVE_POLLS
    events = [f"/api/v1/polls/{quote(poll.poll, safe='')}/events" for poll in found]
    return await render_page(
        "polls.html",
        here="/polls",
        title=title,
        polls=[(poll, poll.refused.by_reason(), options(poll)) for poll in found],
        events=" ".join(events) if is_followed else "",
    )


def options(poll: PollJson) -> list[Option]:
    most = max((each.votes for each in poll.options), default=0) or 1
    total = poll.total
    return [
        Option(
            each.option,
            each.votes,
            share=each.votes / total if total else None,
            length=each.votes / most,
            leads=total > 0 and each.votes == most,
        )
        for each in poll.options
    ]
