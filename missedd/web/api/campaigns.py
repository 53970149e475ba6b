"""The API of the campaigns: what each is and owes, and what waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock, to_iso
from missedd.core.api_types.campaigns import CampaignJson, CampaignsJson, InForceJson, PendingJson
from missedd.core.policy import Campaign, Policy
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader
from missedd.web.api.openapi_parts import json_response, operation
from missedd.web.api.schemas import Json


def add_campaigns(api: Blueprint, read: StoreReader, policy: Policy, clock: Clock) -> None:
    @api.get("/v1/campaigns")
    async def campaigns() -> Response:
        now = clock.now()
        found = campaign_statuses(
            policy, now, await read(reader.pauses_json, now), await read(reader.open_action_counts)
        )
        return jsonify(CampaignsJson(found))


def campaign_statuses(
    policy: Policy,
    now: datetime,
    pauses: Mapping[str, InForceJson],
    pending: Mapping[str, list[PendingJson]],
) -> list[CampaignJson]:
    """Every campaign of the configuration as it stands, in its order."""

    def standing(campaign: Campaign) -> CampaignJson:
        hours = campaign.hours
        is_open = hours is None or hours.is_open(now)
        return CampaignJson(
            name=campaign.name,
            exophones=list(campaign.exophones),
            owes=list(campaign.action_kinds),
            open=is_open,
            opens_at=None if hours is None or is_open else to_iso(hours.next_opening(now)),
            paused=pauses.get(campaign.name),
            pending=pending.get(campaign.name, []),
        )

    return [standing(campaign) for campaign in policy.campaigns]


def paths() -> Json:
    return {
        "/api/v1/campaigns": {
            "get": operation(
                "listCampaigns", "The campaigns as they stand now", {"200": json_response("Campaigns")}
            ),
        },
    }
