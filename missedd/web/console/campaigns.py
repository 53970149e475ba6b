"""The page of campaigns: what each one does, its pending actions and its pause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from quart import Blueprint

from missedd.config.campaign_summary import describe_campaign
from missedd.core.api_types.campaigns import PendingJson
from missedd.store.reads import reader
from missedd.web.api.campaigns import campaign_statuses
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page


@dataclass(frozen=True, slots=True)
class PendingCount:
    """How many actions of a kind are in a state, and why."""

    kind: str
    state: str
    count: int
    why: str


def add_campaigns(console: Blueprint, context: ConsoleContext) -> None:
    @console.get("/campaigns")
    async def campaigns() -> str:
        now = context.clock.now()
        pending = await context.query_cache.get("pending", partial(context.read, reader.open_action_counts))
        found = campaign_statuses(context.policy, now, await context.read(reader.pauses_json, now), pending)
        facts = {campaign.name: tuple(describe_campaign(campaign)) for campaign in context.policy.campaigns}
        shown = [(campaign, pending_by_state(campaign.pending), facts[campaign.name]) for campaign in found]
        return await render_page("campaigns.html", here="/campaigns", campaigns=shown)


def pending_by_state(pending: Iterable[PendingJson]) -> list[PendingCount]:
    """Count the pending actions by kind and state. `why` joins the reasons of each group in one text."""
    counts: defaultdict[tuple[str, str], int] = defaultdict(int)
    reasons: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in pending:
        key = (each.kind, each.state)
        counts[key] += each.count
        reasons[key].append(f"{each.count:,}: {each.reason_words}")
    return [PendingCount(*key, n, "; ".join(reasons[key])) for key, n in counts.items()]
