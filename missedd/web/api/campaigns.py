"""The API of the campaigns: what each is and owes, and what waits for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock, to_iso
from missedd.core.model import Kind, State
from missedd.core.policy import Campaign, Policy
from missedd.operator_actions.campaigns import PAUSE_PROPERTIES
from missedd.web.api.openapi_parts import json_response, operation
from missedd.web.api.schemas import COUNT, INSTANT, NUMBER, TEXT, Json, array_of, object_of, or_null
from missedd.web.shared.ports import Reads


def add_campaigns(api: Blueprint, reads: Reads, policy: Policy, clock: Clock) -> None:
    @api.get("/v1/campaigns")
    async def campaigns() -> Response:
        now = clock.now()
        found = campaign_statuses(policy, now, await reads.pauses(now), await reads.open_action_counts())
        return jsonify({"items": found})


def campaign_statuses(
    policy: Policy,
    now: datetime,
    pauses: Mapping[str, Mapping[str, Any]],
    pending: Iterable[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Every campaign of the configuration as it stands, in its order."""
    of: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in pending:
        of[each["campaign"]].append({name: value for name, value in each.items() if name != "campaign"})

    def standing(campaign: Campaign) -> dict[str, Any]:
        hours = campaign.hours
        is_open = hours is None or hours.is_open(now)
        opens_at = None if hours is None or is_open else hours.next_opening(now)
        return {
            "name": campaign.name,
            "exophones": list(campaign.exophones),
            "owes": list(campaign.action_kinds),
            "open": is_open,
            "opens_at": to_iso(opens_at),
            "paused": pauses.get(campaign.name),
            "pending": of[campaign.name],
        }

    return [standing(each) for each in policy.campaigns]


def paths() -> Json:
    return {
        "/api/v1/campaigns": {
            "get": operation("The campaigns as they stand now", {"200": json_response("Campaigns")}),
        },
    }


def schemas() -> Json:
    pending = {
        "kind": {"enum": list(Kind)},
        "state": {"enum": [each for each in State if each is not State.DONE]},
        "reason": TEXT,
        "reason_words": TEXT,
        "count": COUNT,
    }
    campaign = {
        "name": TEXT,
        "exophones": {"type": "array", "items": NUMBER},
        "owes": {"type": "array", "items": {"enum": list(Kind)}},
        "open": {"type": "boolean", "description": "Whether these are its business hours."},
        "opens_at": or_null(INSTANT) | {"description": "While it is closed."},
        "paused": or_null(object_of(PAUSE_PROPERTIES)),
        "pending": {"type": "array", "items": object_of(pending)},
    }
    return {
        "Campaign": object_of(campaign),
        "Campaigns": object_of({"items": array_of("Campaign")}),
    }
