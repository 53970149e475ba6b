"""The audit record: what people changed by hand."""

from __future__ import annotations

from quart import Blueprint

from missedd.web.console.context import House
from missedd.web.console.lists import shown
from missedd.web.console.render import page


def add_record(console: Blueprint, house: House) -> None:
    @console.get("/audit")
    async def audit() -> str:
        found = await shown(house.reads.audit, "/audit", ("subject",))
        return await page("audit.html", here="/audit", list=found)
