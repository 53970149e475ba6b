"""The campaigns as they stand, each with its pause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from quart import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from missedd.base.clock import to_iso
from missedd.config.campaign_summary import facts_in_words
from missedd.web.api.campaigns import configured, standings
from missedd.web.console.context import House
from missedd.web.console.forms import PAUSES, Mistake, done, line, until
from missedd.web.console.render import page
from missedd.web.shared.actor import acting


def add_campaigns(console: Blueprint, house: House) -> None:
    @console.get("/campaigns")
    async def campaigns() -> str:
        now = house.clock.now()
        pending = await house.remembered.get("pending", house.reads.pending)
        found = standings(house.policy, now, await house.reads.pauses(now), pending)
        facts = {campaign.name: tuple(facts_in_words(campaign)) for campaign in house.policy.campaigns}
        shown = [each | {"waiting": waiting(each["pending"]), "facts": facts[each["name"]]} for each in found]
        return await page("campaigns.html", here="/campaigns", campaigns=shown, lasts=PAUSES)

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


def waiting(pending: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is not done, by kind and state; why each waits is said together."""
    counts: defaultdict[tuple[str, str], int] = defaultdict(int)
    reasons: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in pending:
        key = (each["kind"], each["state"])
        counts[key] += each["count"]
        reasons[key].append(f"{each['count']:,}: {each['reason_words']}")
    return [
        {"kind": kind, "state": state, "count": n, "why": "; ".join(reasons[kind, state])}
        for (kind, state), n in counts.items()
    ]
