"""The page of one number: suppressions, leads, subscriptions and calls, with the forms to change them."""

from __future__ import annotations

from typing import Final

from quart import Blueprint

from missedd.core.pagination import Query
from missedd.core.phone import normalise
from missedd.store.reads import reader
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page
from missedd.web.shared.problems import Problem

SHOWN_CALLS: Final = 20


def add_numbers(console: Blueprint, context: ConsoleContext) -> None:
    read = context.read

    @console.get("/numbers/<number>")
    async def number(number: str) -> str:
        spelt = normalise(number)
        if spelt is None:
            raise Problem(404, "This is not a phone number that can be called.")
        query = Query(number=spelt)
        now = context.clock.now()
        suppressions = [
            each
            for each in (await read(reader.suppressions, query)).items
            if each.until is None or context.to_local(each.until) > now
        ]
        return await render_page(
            "number.html",
            number=spelt,
            calls=await read(reader.number_trace, spelt),
            most=SHOWN_CALLS,
            suppressions=suppressions,
            subscriptions=(await read(reader.subscriptions, query)).items,
            leads=(await read(reader.leads, query)).items,
        )
