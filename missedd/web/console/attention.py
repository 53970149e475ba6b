"""What waits for a person: webhooks to send again, and outcomes that only a person can find out."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.actions.resolution import MAY_BE, SETTLING, Settlement
from missedd.core.model import Outcome
from missedd.core.pagination import Query
from missedd.web.console.context import House
from missedd.web.console.forms import Mistake, done, line
from missedd.web.console.lists import shown
from missedd.web.console.render import page
from missedd.web.shared.actor import acting

REFUSALS: Final = {
    Settlement.NO_SUCH_ACTION: "There is no such action.",
    Settlement.NOT_UNKNOWN: "Its outcome is not unknown any more.",
    Settlement.SETTLED_OTHERWISE: "Somebody has settled it before, and otherwise.",
    Settlement.WRONG_OUTCOME: "An action of this kind cannot have ended like that.",
}


def add_trouble(console: Blueprint, house: House) -> None:
    reads, operations = house.reads, house.operations

    @console.get("/deliveries")
    async def deliveries() -> str:
        found = await shown(reads.parked, "/deliveries", ("campaign", "number"))
        names = [each.name for each in house.policy.campaigns if each.webhook is not None]
        counts = await reads.attention()
        return await page(
            "deliveries.html", here="/deliveries", list=found, campaigns=names, parked=counts["parked"]
        )

    @console.post("/deliveries/<int:action_id>/resend")
    async def resend(action_id: int) -> BaseResponse:
        new_id = await operations.resend(acting(), action_id)
        if new_id is None:
            raise Mistake("There is no such webhook to send again.")
        return await done(f"Webhook {action_id} goes out again, as action {new_id}.")

    @console.post("/deliveries/resend")
    async def resend_all() -> BaseResponse:
        count = await operations.resend_parked(acting())
        if count == 0:
            raise Mistake("There is no webhook to send again.")
        return await done(f"{count:,} webhook{'s go' if count > 1 else ' goes'} out again.")

    @console.get("/unknown")
    async def unknown() -> str:
        found = await shown(reads.unknown, "/unknown", ("campaign", "number"))
        lost = await reads.lost(Query())
        names = [each.name for each in house.policy.campaigns]
        may_be = {kind.value: outcomes for kind, outcomes in MAY_BE.items()}
        return await page(
            "unknown.html", here="/unknown", list=found, lost=lost.items, campaigns=names, may_be=may_be
        )

    @console.post("/unknown/<int:action_id>/settle")
    async def settle(action_id: int) -> BaseResponse:
        outcome = (await request.form).get("outcome")
        if outcome not in SETTLING:
            raise Mistake("Please choose what became of it.")
        note = await line("note", "how you know", required=False) or None
        settled = await operations.settle(acting(), action_id, Outcome(outcome), note)
        if settled in REFUSALS:
            raise Mistake(REFUSALS[settled])
        return await done(f"Action {action_id} is settled: {outcome}.")
