"""The API of the campaigns: what each is and owes, what waits for it, and pausing it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock, to_iso
from missedd.config.values import closest_match
from missedd.core.audit import Source
from missedd.core.model import Kind, State
from missedd.core.policy import Campaign, Policy
from missedd.web.api.openapi_parts import in_path, json_response, operation, problem_content, request_body
from missedd.web.api.schemas import COUNT, INSTANT, NUMBER, TEXT, Json, array_of, object_of, or_null
from missedd.web.shared.actor import current_actor
from missedd.web.shared.json_body import parse_line, parse_until, read_json_object
from missedd.web.shared.ports import Operations, Reads
from missedd.web.shared.problems import Problem


def add_campaigns(api: Blueprint, reads: Reads, operations: Operations, policy: Policy, clock: Clock) -> None:
    zone = ZoneInfo(policy.timezone)

    @api.get("/v1/campaigns")
    async def campaigns() -> Response:
        now = clock.now()
        found = campaign_statuses(policy, now, await reads.pauses(now), await reads.open_action_counts())
        return jsonify({"items": found})

    @api.post("/v1/campaigns/<name>/pause")
    async def pause(name: str) -> tuple[Response, int]:
        said = await read_json_object("why", "until")
        why = parse_line(said, "why")
        until = parse_until(said, zone, clock.now())
        begun = await operations.pause(current_actor(), require_campaign(policy, name).name, until, why)
        by = {"source": begun.by.source, "peer": begun.by.peer}
        shown = {"since": to_iso(begun.since), "until": to_iso(begun.until), "why": begun.why, "by": by}
        return jsonify({"campaign": name} | shown), 201

    @api.delete("/v1/campaigns/<name>/pause")
    async def resume(name: str) -> tuple[str, int]:
        if not await operations.resume(current_actor(), name):
            require_campaign(policy, name)
            raise Problem(404, "the campaign is not paused")
        return "", 204


def require_campaign(policy: Policy, name: str) -> Campaign:
    """The campaign of this name, or a problem."""
    campaign = policy.campaign(name)
    if campaign is None:
        known = [each.name for each in policy.campaigns]
        meant = closest_match(name, known)
        hint = f"; did you mean {meant!r}?" if meant else ""
        listed = ", ".join(known) or "none"
        raise Problem(404, f"there is no campaign {name!r} in the configuration; known are {listed}{hint}")
    return campaign


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
    name = in_path("name", TEXT)
    return {
        "/api/v1/campaigns": {
            "get": operation("The campaigns as they stand now", {"200": json_response("Campaigns")}),
        },
        "/api/v1/campaigns/{name}/pause": {
            "post": operation(
                "Call and text nobody for a campaign, until an instant or until it is resumed; a pause that "
                "is in force already is replaced",
                {"201": json_response("Paused"), "404": problem_content()},
                name,
            )
            | request_body("Pause"),
            "delete": operation(
                "End a campaign's pause", {"204": {"description": "Done"}, "404": problem_content()}, name
            ),
        },
    }


def schemas() -> Json:
    by = {"source": {"enum": list(Source)}, "peer": or_null(TEXT)}
    pause = {"since": INSTANT, "until": or_null(INSTANT), "why": TEXT, "by": object_of(by)}
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
        "paused": or_null(object_of(pause)),
        "pending": {"type": "array", "items": object_of(pending)},
    }
    return {
        "Campaign": object_of(campaign),
        "Campaigns": object_of({"items": array_of("Campaign")}),
        "Pause": object_of({"why": TEXT, "until": or_null(INSTANT)}, optional=("until",)),
        "Paused": object_of({"campaign": TEXT} | pause),
    }
