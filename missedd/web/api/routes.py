"""The API, version 1: lists, one call's story, figures, and what an operator may change.

Each route is named with its path in `missedd.web.api.openapi`; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from quart import Blueprint, Response, jsonify, request

from missedd.base.clock import Clock
from missedd.core.actions.details import ACTION_DETAILS
from missedd.core.pagination import Page, Query
from missedd.core.policy import Policy
from missedd.exotel.sms_status_codes import add_code_words
from missedd.operator_actions.description import AnswerContext
from missedd.web.api.audit import add_audit
from missedd.web.api.campaigns import add_campaigns
from missedd.web.api.conversions import add_conversions
from missedd.web.api.leads import add_leads
from missedd.web.api.list_response import list_response
from missedd.web.api.openapi import build_document
from missedd.web.api.operator_routes import add_operator_routes
from missedd.web.api.polls import add_polls
from missedd.web.api.subscriptions import add_subscriptions
from missedd.web.api.unknown_parameters import add_parameter_check
from missedd.web.api.verifications import add_verifications
from missedd.web.shared.ports import Operations, PollFeed, Reads, Verifier
from missedd.web.shared.problems import Problem
from missedd.web.shared.request_values import RequestTimes, parse_period

CALL_COLUMNS: Final = (
    *("call_sid", "from", "to", "campaign", "called_at", "received_at", "verdict", "reason", "reason_words"),
    *("shape", "redeliveries", "reached_at", "reached_by"),
)
ACTION_COLUMNS: Final = (
    *("id", "call_sid", "campaign", "kind", "number", "state", "outcome", "due_at", "reason", "reason_words"),
    *("plan", "placed_at", "closed_at", "provider_sid", "expires_at", "retry_index", "origin"),
    *("settled_outcome", "settled_at", "settled_note", "answered_at", "code", "code_words"),
    *(each.name for each in ACTION_DETAILS),
)
SUPPRESSION_COLUMNS: Final = (
    *("number", "reason", "source", "since", "until", "channel", "call_sid", "class", "sender"),
)


def build_api(
    reads: Reads,
    operations: Operations,
    verifier: Verifier,
    poll_feed: PollFeed,
    policy: Policy,
    clock: Clock,
) -> Blueprint:
    """The routes under /api. Instants without an offset are in the policy's time zone."""
    api = Blueprint("api", __name__, url_prefix="/api")
    zone = ZoneInfo(policy.timezone)
    calendar = RequestTimes(zone, clock)
    openapi = build_document()
    add_parameter_check(api, reads, policy, openapi)

    @api.get("/openapi.json")
    async def openapi_document() -> Response:
        return jsonify(openapi)

    @api.get("/v1/calls/<call_sid>")
    async def call(call_sid: str) -> Response:
        story = await reads.call_trace(call_sid)
        if story is None:
            raise Problem(404, "no call has this CallSid")
        return jsonify(story | {"actions": [add_code_words(each) for each in story["actions"]]})

    @api.get("/v1/calls")
    async def calls() -> Response:
        return await list_response("calls", reads.calls, CALL_COLUMNS, calendar)

    @api.get("/v1/actions")
    async def actions() -> Response:
        return await list_response("actions", coded, ACTION_COLUMNS, calendar)

    async def coded(query: Query) -> Page:
        page = await reads.actions(query)
        return replace(page, items=[add_code_words(each) for each in page.items])

    @api.get("/v1/suppressions")
    async def suppressions() -> Response:
        return await list_response("suppressions", reads.suppressions, SUPPRESSION_COLUMNS, calendar)

    @api.get("/v1/analytics")
    async def analytics() -> Response:
        since, until = parse_period(request.args, calendar)
        return jsonify(await reads.analytics(request.args.get("campaign") or None, since, until))

    @api.get("/v1/quarantine")
    async def quarantine() -> Response:
        return jsonify(await reads.quarantine())

    add_operator_routes(api, operations, AnswerContext(reads, policy, clock))
    add_leads(api, reads, calendar)
    add_conversions(api, reads, operations, calendar)
    add_subscriptions(api, reads, calendar)
    add_verifications(api, verifier, clock)
    add_campaigns(api, reads, policy, clock)
    add_audit(api, reads, calendar)
    add_polls(api, reads, poll_feed, policy, clock)
    return api
