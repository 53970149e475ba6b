"""The campaigns as they stand, each with its pause."""

from __future__ import annotations

from quart import Blueprint, render_template
from werkzeug.wrappers import Response as BaseResponse

from missedd.clock import to_iso
from missedd.web.acting import acting
from missedd.web.campaigns import campaigns_now, configured
from missedd.web.console.forms import PAUSES, Mistake, done, line, until
from missedd.web.console.house import House


def add_campaigns(console: Blueprint, house: House) -> None:
    @console.get("/campaigns")
    async def campaigns() -> str:
        found = await campaigns_now(house.reads, house.policy, house.clock)
        return await render_template("campaigns.html", here="/campaigns", campaigns=found, lasts=PAUSES)

    @console.post("/campaigns/<name>/pause")
    async def pause(name: str) -> BaseResponse:
        why = await line("why", "why, for whoever asks later")
        ends_at = await until(PAUSES, house.clock.now())
        await house.operations.pause(acting(), configured(house.policy, name).name, ends_at, why)
        lasts = "until somebody resumes it"
        if ends_at is not None:
            lasts = f"until {house.local(to_iso(ends_at) or ''):%H:%M}"
        return await done(f"{name} is paused {lasts}.")

    @console.post("/campaigns/<name>/resume")
    async def resume(name: str) -> BaseResponse:
        if not await house.operations.resume(acting(), name):
            raise Mistake(f"{name} is not paused.")
        return await done(f"{name} goes on.")
