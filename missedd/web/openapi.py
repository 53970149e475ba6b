"""What the API offers, for machines: an OpenAPI 3.1 document, kept beside the routes by hand."""

from __future__ import annotations

from missedd.core.model import Kind, Outcome, State
from missedd.core.pages import DEFAULT_LIMIT, LARGEST_LIMIT
from missedd.web.schemas import INSTANT, NUMBER, TEXT, Json, array_of, object_of, or_null, schemas


def document() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "missedd",
            "version": "1",
            "description": "Missed calls, what they led to, and why. Not for the internet: it asks for no "
            "password. Instants without an offset are read in the configured timezone and given in UTC.",
        },
        "paths": _paths(),
        "components": {"schemas": schemas()},
    }


def _paths() -> Json:
    return {
        "/api/v1/calls/{call_sid}": {
            "get": _operation(
                "One call's story", {"200": _json("Story"), "404": _problem()}, _in_path("call_sid", TEXT)
            )
        },
        "/api/v1/calls": {"get": _list("Calls, newest first", "Call")},
        "/api/v1/actions": {
            "get": _list(
                "Actions, newest first; the period is of due_at",
                "ListedAction",
                _in_query("kind", {"enum": list(Kind)}),
                _in_query("state", {"enum": list(State)}),
                _in_query("outcome", {"enum": list(Outcome)}),
            )
        },
        "/api/v1/leads": {"get": _list("Leads, newest first; the period is of first_seen_at", "Lead")},
        "/api/v1/suppressions": {
            "get": _list("Numbers that are not contacted", "Suppression"),
            "post": _operation("Suppress a number", {"201": _json("Suppress"), "400": _problem()})
            | {"requestBody": {"required": True, "content": _content("Suppress")}},
        },
        "/api/v1/suppressions/{number}": {
            "delete": _operation(
                "Let a number be contacted again",
                {"204": {"description": "Done"}, "404": _problem()},
                _in_path("number", NUMBER),
            )
        },
        "/api/v1/analytics": {
            "get": _operation(
                "The figures of a campaign, or of all",
                {"200": _json("Figures"), "400": _problem()},
                *_PERIOD,
            )
        },
        "/api/v1/actions/{action_id}/resend": {
            "post": _operation(
                "Send a parked webhook again",
                {"202": _json("Resent"), "400": _problem(), "404": _problem()},
                _in_path("action_id", {"type": "integer", "minimum": 1}),
            )
        },
        "/api/v1/actions/{action_id}/settle": {
            "post": _operation(
                "Say what became of an action whose outcome is unknown",
                {"200": _json("Settled"), "400": _problem(), "404": _problem(), "409": _problem()},
                _in_path("action_id", {"type": "integer", "minimum": 1}),
            )
            | {"requestBody": {"required": True, "content": _content("Settle")}},
        },
        "/api/v1/quarantine": {
            "get": _operation("What waits after a restore", {"200": _json("Quarantine")}),
        },
        "/api/v1/quarantine/release": {
            "post": _operation(
                "Let what waits after a restore go, or drop it",
                {"200": _json("Released"), "400": _problem()},
            )
            | {"requestBody": {"required": True, "content": _content("Release")}},
        },
        "/api/openapi.json": {"get": _operation("This document", {"200": {"description": "OpenAPI 3.1"}})},
    }


def _operation(summary: str, responses: Json, *parameters: Json) -> Json:
    return {"summary": summary, "responses": responses, "parameters": list(parameters)}


def _list(summary: str, item: str, *filters: Json) -> Json:
    page = object_of({"items": array_of(item), "next": or_null(TEXT)})
    shown = {"description": "A page", "content": {"application/json": {"schema": page}, "text/csv": {}}}
    return _operation(summary, {"200": shown, "400": _problem()}, *_PERIOD, *_PAGE, *filters)


def _in_query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _content(schema: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _json(schema: str) -> Json:
    return {"description": schema, "content": _content(schema)}


def _problem() -> Json:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": "Not done", "content": content}


_PERIOD = (
    _in_query("campaign", TEXT),
    _in_query("since", INSTANT | {"description": "At or after; a date is its first moment."}),
    _in_query("until", INSTANT | {"description": "Before."}),
)
_PAGE = (
    _in_query("number", {"type": "string", "description": "A phone number in any spelling."}),
    _in_query("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}),
    _in_query("cursor", {"type": "string", "description": "`next` of the page before."}),
    _in_query("format", {"enum": ["json", "csv"], "default": "json"}),
)
