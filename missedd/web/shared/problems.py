"""Errors of the private site as problem details (RFC 9457), with the name of the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from quart import Response

from missedd.core.reasons import Reason


class Problem(Exception):
    """A request is refused. `field` names the invalid parameter or key of the body. `reason` tells programs
    why, where they may need it.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        field: str | None = None,
        reason: Reason | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.reason = reason
        self.headers = headers or {}


def bad_input(field: str, detail: str) -> Problem:
    return Problem(400, f"{field}: {detail}", field)


def problem_response(problem: Problem) -> Response:
    content: dict[str, object] = {
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.field is not None:
        content["field"] = problem.field
    if problem.reason is not None:
        content["reason"] = problem.reason
    return Response(
        json.dumps(content, ensure_ascii=False),
        problem.status,
        dict(problem.headers),
        content_type="application/problem+json",
    )
