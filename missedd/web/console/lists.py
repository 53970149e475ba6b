"""Leads, lists that people joined, and suppressed numbers: a page at a time, filtered, and as CSV."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from quart import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.pagination import BadCursor, Page, Query
from missedd.core.people.consent import Standing
from missedd.core.people.erasure import kept_as
from missedd.core.people.leads import LeadStatus
from missedd.core.phone import prefix_of
from missedd.web.console.context import House
from missedd.web.console.forms import SUPPRESSIONS, Mistake, done, typed_number
from missedd.web.console.render import page
from missedd.web.shared.actor import acting
from missedd.web.shared.problems import Problem

SHOWN: Final = 50
_FIELD: Final = {"state": "standing"}
"""What a filter is called in a query, where that is something else."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a list as it was asked for, and where its neighbours are."""

    items: list[Any]
    older: str | None
    is_first: bool
    filters: dict[str, str]
    csv: str
    problem: str | None = None


async def shown(
    read: Callable[[Query], Awaitable[Page]], path: str, names: tuple[str, ...], csv: str = ""
) -> Shown:
    """The page of `read` that the request at hand asks for, by these filters."""
    filters = {name: request.args[name].strip() for name in names if request.args.get(name, "").strip()}
    asked = filters.get("number", "")
    number = kept_as(asked) or prefix_of(asked)
    problem = None
    if "number" in filters and number is None:
        problem = f"{filters['number']!r} is not a phone number."
    known: dict[str, Any] = {_FIELD.get(name, name): value for name, value in filters.items()}
    cursor = request.args.get("cursor")
    try:
        query = Query(**known | {"number": number, "limit": SHOWN, "cursor": cursor})
        page = Page([], None) if problem else await read(query)
    except BadCursor:
        raise Problem(404, "This page of the list is not there.") from None
    older = None if page.next is None else f"{path}?{urlencode({**filters, 'cursor': page.next})}"
    link = f"{csv}?{urlencode({**filters, 'format': 'csv'})}" if csv else ""
    return Shown(page.items, older, cursor is None, filters, link, problem)


def add_lists(console: Blueprint, house: House) -> None:
    reads = house.reads

    @console.get("/leads")
    async def leads() -> str:
        found = await shown(reads.leads, "/leads", ("campaign", "status", "number"), "/api/v1/leads")
        names = [each.name for each in house.policy.campaigns if each.lead_source is not None]
        return await page(
            "leads.html", here="/leads", list=found, campaigns=names, statuses=tuple(LeadStatus)
        )

    @console.get("/subscriptions")
    async def subscriptions() -> str:
        found = await shown(
            reads.subscriptions, "/subscriptions", ("list", "state", "number"), "/api/v1/subscriptions"
        )
        names = sorted({each.subscribe.list for each in house.policy.campaigns if each.subscribe})
        states = (Standing.IN_FORCE, Standing.WITHDRAWN)
        return await page("subscriptions.html", here="/subscriptions", list=found, names=names, states=states)

    @console.post("/subscriptions/<name>/withdraw")
    async def withdraw(name: str) -> BaseResponse:
        number = await typed_number()
        if not await house.operations.unsubscribe(acting(), name, number):
            raise Mistake(f"{number} is not on the list {name}.")
        return await done(f"{number} is off the list {name}.")

    @console.get("/suppressions")
    async def suppressions() -> str:
        found = await shown(reads.suppressions, "/suppressions", ("number",), "/api/v1/suppressions")
        return await page("suppressions.html", here="/suppressions", list=found, lasts=SUPPRESSIONS)
