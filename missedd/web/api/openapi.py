"""What the API offers, for machines: an OpenAPI 3.1 document, kept beside the routes by hand."""

from __future__ import annotations

from types import ModuleType

from missedd.core.model import Kind, Outcome, State
from missedd.web.api import (
    audit,
    campaigns,
    conversions,
    leads,
    nodes,
    operator_openapi,
    polls,
    subscriptions,
    verifications,
    webhook_schemas,
)
from missedd.web.api.openapi_parts import (
    PERIOD,
    add_common_responses,
    in_path,
    in_query,
    json_response,
    listing,
    operation,
    problem_content,
)
from missedd.web.api.schemas import TEXT, Json, schemas

AREAS: tuple[ModuleType, ...] = (
    *(conversions, leads, polls, subscriptions, verifications, campaigns, audit, nodes, operator_openapi),
)
"""Modules of this room that describe their own routes: each has `paths()`, and `schemas()` if these take
bodies."""

_PARKED = (
    "Webhooks that your application never took, and no others: true, those that wait to be sent again; "
    "false, those that were sent again since, each as an action with its `origin`."
)
_SETTLED = (
    "What ended as `unknown`, and nothing else: true, where an operator has said what became of it; "
    "false, where nobody has."
)


def build_document() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "missedd",
            "version": "1",
            "description": "Missed calls, what they led to, and why. Not for the internet. Where "
            "MISSEDD_API_TOKEN is set nothing is changed without it; a listener on a public address also "
            "shows nothing without it. On others the Host has to be an address of the machine, localhost or "
            "one of `listen.private_hosts` (421). A change with the Origin of another site is refused (403). "
            "Instants without an offset are read in the configured timezone and given in UTC. A GET refuses "
            "a parameter, a campaign or a list that is not known.",
        },
        "security": [{}, {"token": []}],
        "paths": add_common_responses(_merge_paths()),
        "webhooks": webhook_schemas.webhooks(),
        "components": {
            "schemas": _merge_schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _merge_paths() -> Json:
    """The operations by path and method: one path may have operations of several areas."""
    merged = _paths()
    for area in AREAS:
        for path, operations in area.paths().items():
            merged[path] = merged.get(path, {}) | operations
    return merged


def _merge_schemas() -> Json:
    merged = schemas()
    for area in AREAS:
        merged |= getattr(area, "schemas", dict)()
    return merged


def _paths() -> Json:
    return {
        "/api/v1/calls/{call_sid}": {
            "get": operation(
                "getCall",
                "One call's story",
                {"200": json_response("Story"), "404": problem_content()},
                in_path("call_sid", TEXT),
            )
        },
        "/api/v1/calls": {"get": listing("listCalls", "Calls, newest first", "Call")},
        "/api/v1/actions": {
            "get": listing(
                "listActions",
                "Actions, newest first; the period is of due_at",
                "ListedAction",
                in_query("kind", {"enum": list(Kind)}),
                in_query("state", {"enum": list(State)}),
                in_query("outcome", {"enum": list(Outcome)}),
                in_query("parked", {"type": "boolean", "description": _PARKED}),
                in_query("settled", {"type": "boolean", "description": _SETTLED}),
            )
        },
        "/api/v1/suppressions": {
            "get": listing("listSuppressions", "Numbers that are not contacted", "Suppression"),
        },
        "/api/v1/analytics": {
            "get": operation(
                "getAnalytics",
                "The figures of a campaign, or of all",
                {"200": json_response("Figures"), "400": problem_content(), "503": problem_content()},
                *PERIOD,
            )
        },
        "/api/v1/quarantine": {
            "get": operation(
                "getQuarantine", "What waits after a restore", {"200": json_response("Quarantine")}
            ),
        },
        "/api/openapi.json": {
            "get": operation("getDocument", "This document", {"200": {"description": "OpenAPI 3.1"}})
        },
    }
