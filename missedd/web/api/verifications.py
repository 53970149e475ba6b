"""The API by which an application has a number proved by a missed call."""

from __future__ import annotations

import math
from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock, to_iso
from missedd.core.people.verification import VerificationRefusal
from missedd.core.reasons import Reason
from missedd.web.api.openapi_parts import in_path, json_response, operation, problem_content, request_body
from missedd.web.api.schemas import NUMBER, TEXT, Json, object_of
from missedd.web.shared.json_body import parse_line, read_json_object
from missedd.web.shared.ports import Verifier
from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import parse_number

PATH: Final = "/v1/verifications"


def add_verifications(api: Blueprint, verifier: Verifier, clock: Clock) -> None:
    @api.post(PATH)
    async def start() -> tuple[Response, int, dict[str, str]]:
        asked = await read_json_object("number", "campaign")
        number = parse_number(asked.get("number"), "number")
        started = await verifier.start(number, parse_line(asked, "campaign"))
        if isinstance(started, VerificationRefusal):
            raise _not_started_problem(started, clock)
        return jsonify(started), 201, {"Location": f"/api{PATH}/{started.id}"}

    @api.get(f"{PATH}/<verification_id>")
    async def verification(verification_id: str) -> Response:
        found = await verifier.verification(verification_id)
        if found is None:
            raise Problem(404, "no verification has this id")
        return jsonify(found)


def _not_started_problem(refused: VerificationRefusal, clock: Clock) -> Problem:
    if refused.reason is not Reason.TOO_MANY_VERIFICATIONS or refused.retry_at is None:
        return bad_input("campaign", refused.reason.words)
    wait_s = math.ceil((refused.retry_at - clock.now()).total_seconds())
    return Problem(
        429,
        f"{refused.reason.words}; another may start at {to_iso(refused.retry_at)}",
        "number",
        refused.reason,
        {"Retry-After": str(max(1, wait_s))},
    )


def paths() -> Json:
    started = json_response("Verification") | {"headers": {"Location": {"schema": TEXT}}}
    too_many = problem_content() | {"headers": {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}}
    return {
        "/api/v1/verifications": {
            "post": operation(
                "startVerification",
                "Wait for a missed call that proves a number",
                {"201": started, "400": problem_content(), "429": too_many},
            )
            | request_body("Verify"),
        },
        "/api/v1/verifications/{verification_id}": {
            "get": operation(
                "getVerification",
                "How a verification stands; once this says that it has expired, that is final",
                {"200": json_response("Verification"), "404": problem_content()},
                in_path("verification_id", TEXT),
            )
        },
    }


def schemas() -> Json:
    return {"Verify": object_of({"number": NUMBER, "campaign": TEXT})}
