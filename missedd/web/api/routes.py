"""The API, version 1: lists, one call's story, figures, and what an operator may change.

Each route is named with its path in `missedd.web.api.openapi`; a test holds the two together.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from msgspec.structs import replace
from quart import Blueprint, Response, jsonify, request

from missedd.base.clock import Clock
from missedd.core.api_types.actions import ListedActionJson
from missedd.core.api_types.calls import CallJson
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.core.pagination import Page, Query
from missedd.core.policy import Policy
from missedd.exotel.sms_status_codes import add_code_words
from missedd.operator_actions.description import AnswerContext
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader
from missedd.web.api.audit import add_audit
from missedd.web.api.campaigns import add_campaigns
from missedd.web.api.conversions import add_conversions
from missedd.web.api.leads import add_leads
from missedd.web.api.list_response import list_response
from missedd.web.api.nodes import add_nodes
from missedd.web.api.openapi import build_document
from missedd.web.api.operator_routes import add_operator_routes
from missedd.web.api.polls import add_polls
from missedd.web.api.subscriptions import add_subscriptions
from missedd.web.api.unknown_parameters import add_parameter_check
from missedd.web.api.verifications import add_verifications
from missedd.web.shared.answer_reads import StoredAnswers
from missedd.web.shared.ports import ClusterReader, Operations, PollFeed, Verifier
from missedd.web.shared.problems import Problem
from missedd.web.shared.request_values import RequestTimes, parse_period


def build_api(
    read: StoreReader,
    operations: Operations,
    verifier: Verifier,
    poll_feed: PollFeed,
    cluster: ClusterReader,
    policy: Policy,
    clock: Clock,
) -> Blueprint:
    """The routes under /api. Instants without an offset are in the policy's time zone."""
    api = Blueprint("api", __name__, url_prefix="/api")
    calendar = RequestTimes(ZoneInfo(policy.timezone), clock)
    openapi = build_document()
    add_parameter_check(api, read, policy, openapi)

    @api.get("/openapi.json")
    async def openapi_document() -> Response:
        return jsonify(openapi)

    @api.get("/v1/calls/<call_sid>")
    async def call(call_sid: str) -> Response:
        story = await read(reader.call_trace, call_sid)
        if story is None:
            raise Problem(404, "no call has this CallSid")
        return jsonify(replace(story, actions=[add_code_words(action) for action in story.actions]))

    @api.get("/v1/calls")
    async def calls() -> Response:
        return await list_response("calls", read.pages(reader.calls), CallJson, calendar)

    @api.get("/v1/actions")
    async def actions() -> Response:
        return await list_response("actions", coded, ListedActionJson, calendar)

    async def coded(query: Query) -> Page[ListedActionJson]:
        page = await read(reader.actions, query)
        return Page([add_code_words(action) for action in page.items], page.next)

    @api.get("/v1/suppressions")
    async def suppressions() -> Response:
        return await list_response("suppressions", read.pages(reader.suppressions), SuppressionJson, calendar)

    @api.get("/v1/analytics")
    async def analytics() -> Response:
        since, until = parse_period(request.args, calendar)
        name = request.args.get("campaign") or None
        return jsonify(await read(reader.figures_soon, name, since, until, policy.timezone))

    @api.get("/v1/quarantine")
    async def quarantine() -> Response:
        return jsonify(await read(reader.quarantine))

    add_operator_routes(api, operations, AnswerContext(StoredAnswers(read), policy, clock))
    add_leads(api, read, calendar)
    add_conversions(api, read, operations, calendar)
    add_subscriptions(api, read, calendar)
    add_verifications(api, verifier, clock)
    add_campaigns(api, read, policy, clock)
    add_audit(api, read, calendar)
    add_nodes(api, cluster)
    add_polls(api, read, poll_feed, policy, clock)
    return api
