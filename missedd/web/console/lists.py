"""The pages of leads, subscriptions and suppressions, with filters, pages and a link to the CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from quart import Blueprint, request

from missedd.core.api_types.base import ApiObject
from missedd.core.pagination import InvalidCursor, Page, Query, ReadPage
from missedd.core.people.consent import ConsentStatus
from missedd.core.people.erasure import lookup_key
from missedd.core.people.leads import LeadStatus
from missedd.core.phone import parse_prefix
from missedd.store.reads import reader
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page
from missedd.web.shared.problems import Problem

PAGE_SIZE: Final = 50
_QUERY_FIELDS: Final = {"state": "standing"}
"""Filters whose field in `Query` has another name."""


@dataclass(frozen=True, slots=True)
class ListView:
    """One page of a list, its filters, and the link to the next page (`older`)."""

    items: Sequence[ApiObject]
    older: str | None
    is_first: bool
    filters: dict[str, str]
    csv: str
    problem: str | None = None


async def list_view[T: ApiObject](
    read: ReadPage[T], path: str, names: tuple[str, ...], csv: str = ""
) -> ListView:
    """Read the page of a list that the current request asks for. `names` are the filters that it accepts."""
    filters = {name: request.args[name].strip() for name in names if request.args.get(name, "").strip()}
    asked = filters.get("number", "")
    number = lookup_key(asked) or parse_prefix(asked)
    problem = None
    if "number" in filters and number is None:
        problem = f"{filters['number']!r} is not a phone number."
    known: dict[str, Any] = {_QUERY_FIELDS.get(name, name): value for name, value in filters.items()}
    cursor = request.args.get("cursor")
    try:
        query = Query(**known | {"number": number, "limit": PAGE_SIZE, "cursor": cursor})
        page = Page[T]([], None) if problem else await read(query)
    except InvalidCursor:
        raise Problem(404, "There is no such page of this list.") from None
    older = None if page.next is None else f"{path}?{urlencode({**filters, 'cursor': page.next})}"
    link = f"{csv}?{urlencode({**filters, 'format': 'csv'})}" if csv else ""
    return ListView(page.items, older, cursor is None, filters, link, problem)


def add_lists(console: Blueprint, context: ConsoleContext) -> None:
    read = context.read

    @console.get("/leads")
    async def leads() -> str:
        found = await list_view(
            read.pages(reader.leads), "/leads", ("campaign", "status", "number"), "/api/v1/leads"
        )
        names = [each.name for each in context.policy.campaigns if each.lead_source is not None]
        return await render_page(
            "leads.html", here="/leads", list=found, campaigns=names, statuses=tuple(LeadStatus)
        )

    @console.get("/subscriptions")
    async def subscriptions() -> str:
        found = await list_view(
            read.pages(reader.subscriptions),
            "/subscriptions",
            ("list", "state", "number"),
            "/api/v1/subscriptions",
        )
        names = sorted({each.subscribe.list for each in context.policy.campaigns if each.subscribe})
        states = (ConsentStatus.IN_FORCE, ConsentStatus.WITHDRAWN)
        return await render_page(
            "subscriptions.html", here="/subscriptions", list=found, names=names, states=states
        )

    @console.get("/suppressions")
    async def suppressions() -> str:
        found = await list_view(
            read.pages(reader.suppressions), "/suppressions", ("number",), "/api/v1/suppressions"
        )
        return await render_page("suppressions.html", here="/suppressions", list=found)
