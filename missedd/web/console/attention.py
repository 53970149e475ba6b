"""The pages of parked webhooks and of unknown outcomes: both need a decision by a person."""

from __future__ import annotations

from quart import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.actions.resolution import RESOLVABLE_OUTCOMES
from missedd.core.pagination import Query
from missedd.operator_actions.actions import ResendParkedWebhooks
from missedd.store.reads import reader
from missedd.web.console.context import ConsoleContext
from missedd.web.console.forms import FormError, redirect_back
from missedd.web.console.lists import list_view
from missedd.web.console.render import render_page
from missedd.web.shared.actor import current_actor


def add_attention(console: Blueprint, context: ConsoleContext) -> None:
    read = context.read

    @console.get("/deliveries")
    async def deliveries() -> str:
        found = await list_view(read.pages(reader.parked_webhooks), "/deliveries", ("campaign", "number"))
        names = [each.name for each in context.policy.campaigns if each.webhook is not None]
        counts = await read(reader.attention_counts)
        return await render_page(
            "deliveries.html", here="/deliveries", list=found, campaigns=names, parked=counts["parked"]
        )

    @console.post("/deliveries/resend")
    async def resend_all() -> BaseResponse:
        count = await context.operations.perform(current_actor(), ResendParkedWebhooks())
        if count == 0:
            raise FormError("There is no webhook to send again.")
        return await redirect_back(f"{count:,} webhook{'s are' if count > 1 else ' is'} sent again.")

    @console.get("/unknown")
    async def unknown() -> str:
        found = await list_view(read.pages(reader.unknown_outcomes), "/unknown", ("campaign", "number"))
        lost = await read(reader.lost_answers, Query())
        names = [each.name for each in context.policy.campaigns]
        may_be = {kind.value: outcomes for kind, outcomes in RESOLVABLE_OUTCOMES.items()}
        return await render_page(
            "unknown.html", here="/unknown", list=found, lost=lost.items, campaigns=names, may_be=may_be
        )
