"""The API by which a number is erased."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock
from missedd.core.explain.erasure_refusal import describe_blocker
from missedd.core.people.erasure import ErasureRefusal
from missedd.web.api.openapi_parts import in_path, json_response, operation, problem_content
from missedd.web.api.schemas import COUNT, NUMBER, TEXT, Json, object_of
from missedd.web.shared.actor import current_actor
from missedd.web.shared.ports import Operations, Reads
from missedd.web.shared.problems import Problem
from missedd.web.shared.request_values import parse_number


async def explain_refusal(reads: Reads, number: str, why: ErasureRefusal, at: datetime, timezone: str) -> str:
    """What stands in the way of an erasure, until when, and what to do."""
    return describe_blocker(why, await reads.erasure_blocker(number, why, at), timezone)


def add_erasure(api: Blueprint, reads: Reads, operations: Operations, clock: Clock, timezone: str) -> None:
    @api.post("/v1/numbers/<number>/erase")
    async def erase(number: str) -> Response:
        spelt = parse_number(number, "number")
        erased = await operations.erase(current_actor(), spelt)
        if isinstance(erased, ErasureRefusal):
            detail = await explain_refusal(reads, spelt, erased, clock.now(), timezone)
            raise Problem(404 if erased is ErasureRefusal.UNKNOWN else 409, detail)
        return jsonify(
            {
                "pseudonym": erased.pseudonym,
                "suppressions": erased.suppressions,
                "consents": erased.consents,
            }
        )


def paths() -> Json:
    return {
        "/api/v1/numbers/{number}/erase": {
            "post": operation(
                "Put a pseudonym in the place of a number, in all but suppressions and consents",
                {
                    "200": json_response("Erased"),
                    "400": problem_content(),
                    "404": problem_content(),
                    "409": problem_content(),
                },
                in_path("number", NUMBER),
            )
        }
    }


def schemas() -> Json:
    erased = {
        "pseudonym": TEXT | {"description": "What stands in the number's place, as in `erased:17`."},
        "suppressions": COUNT | {"description": "How many suppressions keep the number."},
        "consents": COUNT | {"description": "How many consents keep the number."},
    }
    return {"Erased": object_of(erased)}
