"""The words of which the OpenAPI document is made: operations, parameters, answers and refusals."""

from __future__ import annotations

from missedd.core.pagination import DEFAULT_LIMIT, MAX_LIMIT
from missedd.web.api.schemas import INSTANT, TEXT, Json, array_of, object_of, or_null


def operation(name: str, summary: str, responses: Json, *parameters: Json) -> Json:
    """`name` is its `operationId`: a verb and a noun, as a client's method is called."""
    return {
        "operationId": name,
        "summary": summary,
        "responses": responses,
        "parameters": list(parameters),
    }


def listing(name: str, summary: str, item: str, *filters: Json) -> Json:
    page = object_of({"items": array_of(item), "next": or_null(TEXT)})
    shown = {
        "description": "A page; as CSV all that the filters select, unless it has a `limit`",
        "content": {"application/json": {"schema": page}, "text/csv": {}},
    }
    return operation(name, summary, {"200": shown, "400": problem_content()}, *PERIOD, *PAGE, *filters)


def in_query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def in_header(name: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "required": True, "schema": schema}


def in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def request_body(schema: str) -> Json:
    """To be joined with an operation that takes one."""
    return {"requestBody": {"required": True, "content": content(schema)}}


def add_common_responses(paths: Json) -> Json:
    """The operations with what any of them may answer: bad input, a body of another type, a page or a host
    name that is not known here."""
    for path in paths.values():
        for method, each in path.items():
            any_of_them = {"421": problem_content()}
            if method != "get":
                any_of_them["403"] = problem_content()
            if each.get("requestBody"):
                any_of_them |= {"400": problem_content(), "415": problem_content()}
            elif each.get("parameters"):
                any_of_them["400"] = problem_content()
            each["responses"] = any_of_them | each["responses"]
    return paths


def content(schema: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def json_response(schema: str) -> Json:
    return {"description": schema, "content": content(schema)}


def problem_content() -> Json:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": "Not done", "content": content}


# An empty one is as a form sends what was left out, and counts as absent.
_AGO: Json = {"type": "string", "pattern": "^[1-9][0-9]{0,3}[dhms]$", "examples": ["24h", "7d"]}
PAST: Json = {"anyOf": [INSTANT, {"type": "string", "format": "date"}, _AGO, {"const": ""}]}
"""An instant, a date, or how long ago."""

PERIOD = (
    in_query("campaign", TEXT),
    in_query("since", PAST | {"description": "At or after; a date is its first moment."}),
    in_query("until", PAST | {"description": "Before."}),
)
PAGE = (
    in_query("number", TEXT | {"description": "A phone number in any spelling, or `erased:` and a count."}),
    in_query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
    in_query("cursor", {"type": "string", "description": "`next` of the page before."}),
    in_query("format", {"enum": ["json", "csv"], "default": "json"}),
)
