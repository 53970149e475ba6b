"""The API of the audit record: what people changed by hand, through what and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from quart import Blueprint, Response

from missedd.core.api_types.audit import AuditedJson
from missedd.core.pagination import Query
from missedd.operator_actions.table import AUDIT_ACTIONS
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi_parts import in_query, listing
from missedd.web.api.schemas import TEXT, Json, answers
from missedd.web.shared.request_values import RequestTimes, parse_query


def add_audit(api: Blueprint, read: StoreReader, times: RequestTimes) -> None:
    @api.get("/v1/audit")
    async def audit() -> Response:
        return await list_response("audit", read.pages(reader.audit), AuditedJson, times, _parse_query)


def _parse_query(args: Mapping[str, str], times: RequestTimes) -> Query:
    return replace(parse_query(args, times), subject=args.get("subject") or None)


def paths() -> Json:
    what = {"description": "The number, campaign or action that it was done to."}
    return {
        "/api/v1/audit": {
            "get": listing(
                "listAuditRecords",
                "What was changed by hand, latest first",
                "Audited",
                in_query("subject", TEXT | what),
            )
        }
    }


def schemas() -> Json:
    audited: Json = answers((AuditedJson,))["Audited"]
    audited["properties"]["deed"]["enum"] = list(AUDIT_ACTIONS)
    return {"Audited": audited}
