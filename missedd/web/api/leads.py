"""The API of leads: all of them, those that changed since an instant, and one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.core.api_types.leads import LeadJson
from missedd.core.pagination import Query
from missedd.core.people.leads import LeadStatus, all_leads
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi_parts import (
    PAST,
    in_path,
    in_query,
    json_response,
    listing,
    operation,
    problem_content,
)
from missedd.web.api.schemas import Json
from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import RequestTimes, parse_id, parse_query

_STATUSES: Final = tuple(each.value for each in LeadStatus)


def add_leads(api: Blueprint, read: StoreReader, times: RequestTimes) -> None:
    changed = partial(all_leads, now=times.clock.now)

    @api.get("/v1/leads")
    async def leads() -> Response:
        return await list_response("leads", read.pages(reader.leads), LeadJson, times, _parse_query, changed)

    @api.get("/v1/leads/<lead_id>")
    async def lead(lead_id: str) -> Response:
        found = await read(reader.lead, parse_id(lead_id, "lead"))
        if found is None:
            raise Problem(404, "no lead has this id")
        return jsonify(found)


def _parse_query(args: Mapping[str, str], times: RequestTimes) -> Query:
    status, since = args.get("status") or None, args.get("updated_since") or None
    if status is not None and status not in _STATUSES:
        raise bad_input("status", f"is none of {', '.join(_STATUSES)}")
    updated_since = None if since is None else times.parse_past(since, "updated_since")
    return replace(parse_query(args, times), status=status, updated_since=updated_since)


def paths() -> Json:
    lead_id = in_path("lead_id", {"type": "integer", "minimum": 1})
    since = {
        "description": "Those that changed at or after it, the latest change first. Ask from a minute before "
        "you last asked: an `id` that comes again is the same lead.",
    }
    return {
        "/api/v1/leads": {
            "get": listing(
                "listLeads",
                "Leads, newest first; the period is of first_seen_at",
                "Lead",
                in_query("status", {"enum": list(_STATUSES)}),
                in_query("updated_since", PAST | since),
            )
        },
        "/api/v1/leads/{lead_id}": {
            "get": operation(
                "getLead",
                "One lead",
                {"200": json_response("Lead"), "400": problem_content(), "404": problem_content()},
                lead_id,
            ),
        },
    }
