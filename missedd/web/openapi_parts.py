"""The words of which the OpenAPI document is made: operations, parameters, answers and refusals."""

from __future__ import annotations

from missedd.core.pages import DEFAULT_LIMIT, LARGEST_LIMIT
from missedd.web.schemas import INSTANT, TEXT, Json, array_of, object_of, or_null


def operation(summary: str, responses: Json, *parameters: Json) -> Json:
    return {"summary": summary, "responses": responses, "parameters": list(parameters)}


def listing(summary: str, item: str, *filters: Json) -> Json:
    page = object_of({"items": array_of(item), "next": or_null(TEXT)})
    shown = {"description": "A page", "content": {"application/json": {"schema": page}, "text/csv": {}}}
    return operation(summary, {"200": shown, "400": refusal()}, *PERIOD, *PAGE, *filters)


def in_query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def body(schema: str) -> Json:
    """To be joined with an operation that takes one."""
    return {"requestBody": {"required": True, "content": content(schema)}}


def content(schema: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def answer(schema: str) -> Json:
    return {"description": schema, "content": content(schema)}


def refusal() -> Json:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": "Not done", "content": content}


PERIOD = (
    in_query("campaign", TEXT),
    in_query("since", INSTANT | {"description": "At or after; a date is its first moment."}),
    in_query("until", INSTANT | {"description": "Before."}),
)
PAGE = (
    in_query("number", {"type": "string", "description": "A phone number in any spelling."}),
    in_query("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}),
    in_query("cursor", {"type": "string", "description": "`next` of the page before."}),
    in_query("format", {"enum": ["json", "csv"], "default": "json"}),
)
