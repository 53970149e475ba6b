"""The API of the lists that people join by missed call: their consents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from quart import Blueprint, Response

from missedd.core.pagination import Query
from missedd.core.people.consent import ConsentStatus
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi_parts import in_query, listing
from missedd.web.api.schemas import INSTANT, NUMBER, TEXT, Json, object_of, or_null
from missedd.web.shared.ports import Reads
from missedd.web.shared.problems import bad_input
from missedd.web.shared.request_values import RequestTimes, parse_query

SUBSCRIPTION_COLUMNS: Final = (
    *("list", "number", "purpose", "state", "campaign", "exophone", "call_sid", "consented_at"),
    *("withdrawn_at", "withdrawn_by", "withdrawal_call_sid"),
)
STATES: Final = (ConsentStatus.IN_FORCE.value, ConsentStatus.WITHDRAWN.value)


def add_subscriptions(api: Blueprint, reads: Reads, times: RequestTimes) -> None:
    @api.get("/v1/subscriptions")
    async def subscriptions() -> Response:
        return await list_response(
            "subscriptions", reads.subscriptions, SUBSCRIPTION_COLUMNS, times, _parse_query
        )


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
