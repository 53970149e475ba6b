"""The audit page: the changes that people made."""

from __future__ import annotations

from quart import Blueprint

from missedd.store.reads import reader
from missedd.web.console.context import ConsoleContext
from missedd.web.console.lists import list_view
from missedd.web.console.render import render_page


def add_audit(console: Blueprint, context: ConsoleContext) -> None:
    @console.get("/audit")
    async def audit() -> str:
        found = await list_view(context.read.pages(reader.audit), "/audit", ("subject",))
        return await render_page("audit.html", here="/audit", list=found)
