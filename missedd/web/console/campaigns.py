"""The campaigns as they stand, each with its pause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from quart import Blueprint

from missedd.config.campaign_summary import describe_campaign
from missedd.web.api.campaigns import campaign_statuses
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page


def add_campaigns(console: Blueprint, context: ConsoleContext) -> None:
    @console.get("/campaigns")
    async def campaigns() -> str:
        now = context.clock.now()
        pending = await context.query_cache.get("pending", context.reads.open_action_counts)
        found = campaign_statuses(context.policy, now, await context.reads.pauses(now), pending)
        facts = {campaign.name: tuple(describe_campaign(campaign)) for campaign in context.policy.campaigns}
        shown = [
            each | {"waiting": pending_by_state(each["pending"]), "facts": facts[each["name"]]}
            for each in found
        ]
        return await render_page("campaigns.html", here="/campaigns", campaigns=shown)


def pending_by_state(pending: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
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
