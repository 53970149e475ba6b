"""The API by which the business says what its callers became, one by one or by the batch, and their list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from msgspec.structs import asdict
from quart import Blueprint, Response, jsonify

from missedd.core.api_types.conversions import BatchAnswerJson, BatchItemJson, ConversionJson, ConvertedJson
from missedd.core.pagination import Query
from missedd.core.people.conversions import (
    MAX_BATCH_SIZE,
    MAX_REFERENCE_LENGTH,
    ConversionInput,
    ConversionResult,
    StoredConversion,
    UnknownCaller,
)
from missedd.operator_actions.leads import RecordConversions
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi_parts import (
    in_query,
    json_response,
    listing,
    operation,
    problem_content,
    request_body,
)
from missedd.web.api.schemas import INSTANT, TEXT, Json, object_of, or_null
from missedd.web.shared.actor import current_actor
from missedd.web.shared.json_body import parse_line, read_json_object, reject_unknown_keys
from missedd.web.shared.ports import Operations
from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import RequestTimes, parse_instant, parse_number, parse_query

_KEYS: Final = ("number", "call_sid", "campaign", "at", "value", "reference")
_MAX_CLOCK_SKEW: Final = timedelta(minutes=1)
"""How far a clock of the business may be ahead of ours."""


def add_conversions(api: Blueprint, read: StoreReader, operations: Operations, times: RequestTimes) -> None:
    zone, clock = times.zone, times.clock

    @api.get("/v1/conversions")
    async def conversions() -> Response:
        return await list_response(
            "conversions", read.pages(reader.conversions), ConversionJson, times, _parse_query
        )

    @api.post("/v1/conversions")
    async def convert() -> tuple[Response, int]:
        said = _parse_conversion(await read_json_object(*_KEYS), zone, clock.now())
        (found,) = await operations.perform(current_actor(), RecordConversions((said,), dry_run=False))
        if isinstance(found, UnknownCaller):
            raise _unknown_caller_problem(found)
        return jsonify(_conversion_json(found)), 200 if found.is_repeated else 201

    @api.post("/v1/conversions/batch")
    async def batch() -> Response:
        asked = await read_json_object("items", "dry_run")
        items, dry_run = asked.get("items"), asked.get("dry_run", False)
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH_SIZE:
            raise bad_input("items", f"is no list of 1 to {MAX_BATCH_SIZE} conversions")
        if not isinstance(dry_run, bool):
            raise bad_input("dry_run", "is true or false")
        now = clock.now()
        said = [_parse_or_problem(each, zone, now) for each in items]
        good = [each for each in said if isinstance(each, ConversionInput)]
        change = RecordConversions(tuple(good), dry_run)
        found = iter(await operations.perform(current_actor(), change) if good else ())
        answers = [each if isinstance(each, Problem) else _result_or_problem(next(found)) for each in said]
        return jsonify(BatchAnswerJson([_batch_item(answer) for answer in answers]))


def _parse_query(args: Mapping[str, str], times: RequestTimes) -> Query:
    return replace(parse_query(args, times), reference=args.get("reference") or None)


def _parse_or_problem(item: object, zone: tzinfo, now: datetime) -> ConversionInput | Problem:
    try:
        if not isinstance(item, dict):
            raise Problem(400, "is no JSON object")
        return _parse_conversion(reject_unknown_keys(item, *_KEYS), zone, now)
    except Problem as problem:
        return problem


def _parse_conversion(body: Mapping[str, Any], zone: tzinfo, now: datetime) -> ConversionInput:
    """One conversion out of JSON; null counts as absent."""
    said = {name: value for name, value in body.items() if value is not None}
    if "number" not in said and "call_sid" not in said:
        raise bad_input("number", "is missing, or call_sid in its place")
    at = parse_instant(said["at"], "at", zone) if "at" in said else None
    if at is not None and at > now + _MAX_CLOCK_SKEW:
        raise bad_input("at", "lies in the future")
    return ConversionInput(
        reference=parse_line(said, "reference", max_chars=MAX_REFERENCE_LENGTH),
        number=parse_number(said["number"], "number") if "number" in said else None,
        call_sid=parse_line(said, "call_sid") if "call_sid" in said else None,
        campaign=parse_line(said, "campaign") if "campaign" in said else None,
        at=at,
        value=_parse_value(said["value"]) if "value" in said else None,
    )


def _parse_value(value: object) -> float:
    # A whole number beyond what a float holds raises as well.
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            found = float(value)
            if math.isfinite(found) and found >= 0:
                return found
    except OverflowError:
        pass
    raise bad_input("value", "is not a number of zero or more")


def _unknown_caller_problem(found: UnknownCaller) -> Problem:
    return Problem(404, f"{found.field}: {found.message}", found.field)


def _result_or_problem(found: ConversionResult) -> StoredConversion | Problem:
    return _unknown_caller_problem(found) if isinstance(found, UnknownCaller) else found


def _conversion_json(found: StoredConversion) -> ConvertedJson:
    return ConvertedJson(
        **asdict(found.conversion), repeated=found.is_repeated, differs=list(found.conflicting_fields)
    )


def _batch_item(found: StoredConversion | Problem) -> BatchItemJson:
    if isinstance(found, Problem):
        return BatchItemJson(found.status, found.detail, found.field, None)
    return BatchItemJson(200 if found.is_repeated else 201, None, None, _conversion_json(found))


def paths() -> Json:
    refusals = {"400": problem_content(), "404": problem_content()}
    return {
        "/api/v1/conversions": {
            "get": listing(
                "listConversions",
                "Conversions, the latest said first; the period is of `at`",
                "Conversion",
                in_query("reference", TEXT),
            ),
            "post": operation(
                "recordConversion",
                "Say what a caller became. A reference that is known changes nothing: 200, with its first "
                "conversion",
                {"201": json_response("Converted"), "200": json_response("Converted"), **refusals},
            )
            | request_body("Convert"),
        },
        "/api/v1/conversions/batch": {
            "post": operation(
                "recordConversions",
                "Say many in one transaction, each answered on its own in their order",
                {"200": json_response("BatchAnswer"), "400": problem_content()},
            )
            | request_body("ConvertBatch"),
        },
    }


def schemas() -> Json:
    reference = {"type": "string", "minLength": 1, "maxLength": MAX_REFERENCE_LENGTH}
    convert = {
        "number": {"type": ["string", "null"], "description": "In any spelling; this or call_sid."},
        "call_sid": or_null(TEXT),
        "campaign": or_null(TEXT)
        | {"description": "If not said: the one that the number rang last before it."},
        "at": or_null(INSTANT) | {"description": "If not said: now."},
        "value": {"type": ["number", "null"], "minimum": 0},
        "reference": reference
        | {"description": "Yours, such as an order's number: the same is the same again."},
    }
    each = {"description": "As `Convert`. One that is wrong is answered so, and harms no other."}
    batch = {
        "items": {"type": "array", "items": each, "minItems": 1, "maxItems": MAX_BATCH_SIZE},
        "dry_run": {"type": "boolean", "default": False, "description": "Answer, and keep nothing."},
    }
    return {
        "Convert": object_of(convert, optional=tuple(name for name in convert if name != "reference")),
        "ConvertBatch": object_of(batch, optional=("dry_run",)),
    }
