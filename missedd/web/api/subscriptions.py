"""The API of the lists that people join by missed call: their consents, and taking somebody off a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from quart import Blueprint, Response

from missedd.core.pagination import Query
from missedd.core.people.consent import ConsentStatus
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi_parts import in_path, in_query, listing, operation, problem_content
from missedd.web.api.schemas import INSTANT, NUMBER, TEXT, Json, object_of, or_null
from missedd.web.shared.actor import current_actor
from missedd.web.shared.ports import Operations, Reads
from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import RequestTimes, parse_number, parse_query

SUBSCRIPTION_COLUMNS: Final = (
    *("list", "number", "purpose", "state", "campaign", "exophone", "call_sid", "consented_at"),
    *("withdrawn_at", "withdrawn_by", "withdrawal_call_sid"),
)
STATES: Final = (ConsentStatus.IN_FORCE.value, ConsentStatus.WITHDRAWN.value)


def add_subscriptions(api: Blueprint, reads: Reads, operations: Operations, times: RequestTimes) -> None:
    @api.get("/v1/subscriptions")
    async def subscriptions() -> Response:
        return await list_response(
            "subscriptions", reads.subscriptions, SUBSCRIPTION_COLUMNS, times, _parse_query
        )

    @api.delete("/v1/subscriptions/<name>/<number>")
    async def unsubscribe(name: str, number: str) -> tuple[str, int]:
        if not await operations.unsubscribe(current_actor(), name, parse_number(number, "number")):
            raise Problem(404, "the number is not on this list")
        return "", 204


def _parse_query(args: Mapping[str, str], times: RequestTimes) -> Query:
    standing = args.get("state") or None
    if standing is not None and standing not in STATES:
        raise bad_input("state", f"is none of {', '.join(STATES)}")
    others = {name: value for name, value in args.items() if name != "state"}
    return replace(parse_query(others, times), list=args.get("list") or None, standing=standing)


def paths() -> Json:
    return {
        "/api/v1/subscriptions": {
            "get": listing(
                "Consents with their evidence, newest first; the period is of consented_at",
                "Subscription",
                in_query("list", TEXT),
                in_query("state", {"enum": list(STATES)}),
            )
        },
        "/api/v1/subscriptions/{name}/{number}": {
            "delete": operation(
                "Take a number off a list",
                {"204": {"description": "Done"}, "400": problem_content(), "404": problem_content()},
                in_path("name", {"type": "string", "description": "The list's name."}),
                in_path("number", NUMBER),
            )
        },
    }


def schemas() -> Json:
    subscription = {
        "list": TEXT,
        "number": NUMBER,
        "purpose": TEXT,
        "state": {"enum": list(STATES)},
        "campaign": TEXT,
        "exophone": NUMBER | {"description": "The ExoPhone that was rung, E.164."},
        "call_sid": TEXT | {"description": "The evidence: the missed call by which the number joined."},
        "consented_at": INSTANT | {"description": "That call's own time."},
        "withdrawn_at": or_null(INSTANT),
        "withdrawn_by": {"enum": ["missed-call", "api", "cli", "console", None]},
        "withdrawal_call_sid": or_null(TEXT),
    }
    return {"Subscription": object_of(subscription)}
