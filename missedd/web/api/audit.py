"""The API of the audit record: what people changed by hand, through what and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from quart import Blueprint, Response

from missedd.core.audit import Source
from missedd.core.pagination import Query
from missedd.operator_actions.table import AUDIT_ACTIONS
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi_parts import in_query, listing
from missedd.web.api.schemas import COUNT, INSTANT, TEXT, Json, object_of, or_null
from missedd.web.shared.ports import Reads
from missedd.web.shared.request_values import RequestTimes, parse_query

AUDIT_COLUMNS: Final = ("id", "at", "source", "peer", "deed", "subject", "details")


def add_audit(api: Blueprint, reads: Reads, times: RequestTimes) -> None:
    @api.get("/v1/audit")
    async def audit() -> Response:
        return await list_response("audit", reads.audit, AUDIT_COLUMNS, times, _parse_query)


def _parse_query(args: Mapping[str, str], times: RequestTimes) -> Query:
    return replace(parse_query(args, times), subject=args.get("subject") or None)


def paths() -> Json:
    what = {"description": "The number, campaign or action that it was done to."}
    return {
        "/api/v1/audit": {
            "get": listing(
                "What was changed by hand, latest first", "Audited", in_query("subject", TEXT | what)
            )
        }
    }


def schemas() -> Json:
    audited = {
        "id": COUNT,
        "at": INSTANT,
        "source": {"enum": list(Source)},
        "peer": or_null(TEXT),
        "deed": {"enum": list(AUDIT_ACTIONS)},
        "subject": TEXT,
        "details": {"type": "object", "properties": {}, "required": [], "description": "What else was said."},
    }
    return {"Audited": object_of(audited)}
