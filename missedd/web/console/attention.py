"""What waits for a person: webhooks to send again, and outcomes that only a person can find out."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.actions.resolution import RESOLUTION_OUTCOMES, RESOLVABLE_OUTCOMES, Resolution
from missedd.core.model import Outcome
from missedd.core.pagination import Query
from missedd.web.console.context import ConsoleContext
from missedd.web.console.forms import FormError, redirect_back, text_field
from missedd.web.console.lists import list_view
from missedd.web.console.render import render_page
from missedd.web.shared.actor import current_actor

REFUSALS: Final = {
    Resolution.NO_SUCH_ACTION: "There is no such action.",
    Resolution.NOT_UNKNOWN: "Its outcome is not unknown any more.",
    Resolution.SETTLED_OTHERWISE: "Somebody has settled it before, and otherwise.",
    Resolution.WRONG_OUTCOME: "An action of this kind cannot have ended like that.",
}


def add_attention(console: Blueprint, context: ConsoleContext) -> None:
    reads, operations = context.reads, context.operations

    @console.get("/deliveries")
    async def deliveries() -> str:
        found = await list_view(reads.parked_webhooks, "/deliveries", ("campaign", "number"))
        names = [each.name for each in context.policy.campaigns if each.webhook is not None]
        counts = await reads.attention_counts()
        return await render_page(
            "deliveries.html", here="/deliveries", list=found, campaigns=names, parked=counts["parked"]
        )

    @console.post("/deliveries/<int:action_id>/resend")
    async def resend(action_id: int) -> BaseResponse:
        new_id = await operations.resend(current_actor(), action_id)
        if new_id is None:
            raise FormError("There is no such webhook to send again.")
        return await redirect_back(f"Webhook {action_id} goes out again, as action {new_id}.")

    @console.post("/deliveries/resend")
    async def resend_all() -> BaseResponse:
        count = await operations.resend_parked(current_actor())
        if count == 0:
            raise FormError("There is no webhook to send again.")
        return await redirect_back(f"{count:,} webhook{'s go' if count > 1 else ' goes'} out again.")

    @console.get("/unknown")
    async def unknown() -> str:
        found = await list_view(reads.unknown_outcomes, "/unknown", ("campaign", "number"))
        lost = await reads.lost_answers(Query())
        names = [each.name for each in context.policy.campaigns]
        may_be = {kind.value: outcomes for kind, outcomes in RESOLVABLE_OUTCOMES.items()}
        return await render_page(
            "unknown.html", here="/unknown", list=found, lost=lost.items, campaigns=names, may_be=may_be
        )

    @console.post("/unknown/<int:action_id>/settle")
    async def settle(action_id: int) -> BaseResponse:
        outcome = (await request.form).get("outcome")
        if outcome not in RESOLUTION_OUTCOMES:
            raise FormError("Please choose what became of it.")
        note = await text_field("note", "how you know", required=False) or None
        settled = await operations.resolve_unknown(current_actor(), action_id, Outcome(outcome), note)
        if settled in REFUSALS:
            raise FormError(REFUSALS[settled])
        return await redirect_back(f"Action {action_id} is settled: {outcome}.")
