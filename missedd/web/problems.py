"""What the private site says when it does not do what it was asked: RFC 9457, naming the field."""

from __future__ import annotations

import json
from http import HTTPStatus

from quart import Response


class Problem(Exception):
    """A request that is not done. `field` is the parameter or the key of the body that is at fault."""

    def __init__(self, status: int, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field


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
    return Response(
        json.dumps(content, ensure_ascii=False), problem.status, content_type="application/problem+json"
    )
