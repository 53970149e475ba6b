"""The audit record: what people changed by hand."""

from __future__ import annotations

from quart import Blueprint, render_template

from missedd.web.console.house import House
from missedd.web.console.lists import shown


def add_record(console: Blueprint, house: House) -> None:
    @console.get("/audit")
    async def audit() -> str:
        found = await shown(house.reads.audit, "/audit", ("subject",))
        return await render_template("audit.html", here="/audit", list=found)
