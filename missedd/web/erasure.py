"""The API by which a number is erased."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.core.erasure import NotErased
from missedd.web.acting import acting
from missedd.web.openapi_parts import answer, in_path, operation, refusal
from missedd.web.parameters import number_of
from missedd.web.ports import Operations
from missedd.web.problems import Problem
from missedd.web.schemas import COUNT, NUMBER, TEXT, Json, object_of

REFUSALS: Final = {
    NotErased.UNKNOWN: Problem(404, "nothing that could be erased is kept of this number"),
    NotErased.STILL_OWED: Problem(409, "something is still owed to the number: an action for it is not done"),
    NotErased.BEING_VERIFIED: Problem(409, "a verification of the number waits for its call"),
    NotErased.POLL_OPEN: Problem(409, "it has voted in a poll that is still open, and could vote again"),
}


def add_erasure(api: Blueprint, operations: Operations) -> None:
    @api.post("/v1/numbers/<number>/erase")
    async def erase(number: str) -> Response:
        erased = await operations.erase(acting(), number_of(number, "number"))
        if isinstance(erased, NotErased):
            refused = REFUSALS[erased]
            raise Problem(refused.status, refused.detail)
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
