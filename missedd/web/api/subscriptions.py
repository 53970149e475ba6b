"""The API of the lists that people join by missed call: their consents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from quart import Blueprint, Response

from missedd.core.api_types.consents import SubscriptionJson
from missedd.core.pagination import Query
from missedd.core.people.consent import ConsentStatus
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi_parts import in_query, listing
from missedd.web.api.schemas import TEXT, Json
from missedd.web.shared.problems import bad_input
from missedd.web.shared.request_values import RequestTimes, parse_query

STATES: Final = (ConsentStatus.IN_FORCE.value, ConsentStatus.WITHDRAWN.value)


def add_subscriptions(api: Blueprint, read: StoreReader, times: RequestTimes) -> None:
    @api.get("/v1/subscriptions")
    async def subscriptions() -> Response:
        return await list_response(
            "subscriptions", read.pages(reader.subscriptions), SubscriptionJson, times, _parse_query
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
                "listSubscriptions",
                "Consents with their evidence, newest first; the period is of consented_at",
                "Subscription",
                in_query("list", TEXT),
                in_query("state", {"enum": list(STATES)}),
            )
        },
    }
