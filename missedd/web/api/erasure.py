"""The API by which a number is erased."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock
from missedd.core.explain.erasure_refusal import in_words
from missedd.core.people.erasure import NotErased
from missedd.web.api.openapi_parts import answer, in_path, operation, refusal
from missedd.web.api.schemas import COUNT, NUMBER, TEXT, Json, object_of
from missedd.web.shared.actor import acting
from missedd.web.shared.ports import Operations, Reads
from missedd.web.shared.problems import Problem
from missedd.web.shared.request_values import number_of


async def refusal_in_words(reads: Reads, number: str, why: NotErased, at: datetime, timezone: str) -> str:
    """What stands in the way of an erasure, until when, and what to do."""
    return in_words(why, await reads.in_the_way(number, why, at), timezone)


def add_erasure(api: Blueprint, reads: Reads, operations: Operations, clock: Clock, timezone: str) -> None:
    @api.post("/v1/numbers/<number>/erase")
    async def erase(number: str) -> Response:
        spelt = number_of(number, "number")
        erased = await operations.erase(acting(), spelt)
        if isinstance(erased, NotErased):
            detail = await refusal_in_words(reads, spelt, erased, clock.now(), timezone)
            raise Problem(404 if erased is NotErased.UNKNOWN else 409, detail)
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
                {"200": answer("Erased"), "400": refusal(), "404": refusal(), "409": refusal()},
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
