"""The API of the polls: how each stands, and the same as a stream that follows it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock
from missedd.core.policy import Policy, PollPolicy
from missedd.core.polls.tally import POLL_STATES, Tally, tally_json
from missedd.core.polls.voting_rules import VoteStatus
from missedd.web.api.openapi_parts import in_path, json_response, operation, problem_content
from missedd.web.api.schemas import COUNT, INSTANT, TEXT, Json, array_of, object_of, or_null
from missedd.web.shared.ports import PollFeed, Reads
from missedd.web.shared.problems import Problem
from missedd.web.shared.sse import EventStreams, Snapshot


def add_polls(api: Blueprint, reads: Reads, poll_feed: PollFeed, policy: Policy, clock: Clock) -> None:
    streams = EventStreams(poll_feed)

    @api.get("/v1/polls")
    async def polls() -> Response:
        return jsonify({"items": await poll_tallies(reads, policy, clock), "next": None})

    @api.get("/v1/polls/<poll>")
    async def poll(poll: str) -> Response:
        return jsonify(await poll_tally(poll, reads, policy, clock))

    @api.get("/v1/polls/<poll>/events")
    async def events(poll: str) -> Response:
        async def look() -> Snapshot:
            tally, now = await _load_tally(poll, reads), clock.now()
            return Snapshot(tally.calls, _poll_json(tally, policy, now), _seconds_to_change(tally.rules, now))

        await _load_tally(poll, reads)
        return streams.response(poll, look)


async def poll_tallies(reads: Reads, policy: Policy, clock: Clock) -> list[Json]:
    """Every poll that there is or was, the configuration's first."""
    configured = [each.name for each in policy.polls]
    names = dict.fromkeys([*configured, *await reads.polls()])
    now, tallies = clock.now(), [await reads.tally(each) for each in names]
    return [_poll_json(each, policy, now) for each in tallies if each is not None]


async def poll_tally(poll: str, reads: Reads, policy: Policy, clock: Clock) -> Json:
    """A poll as it stands, as the API shows it. Raises `Problem` if there is none of this name."""
    return _poll_json(await _load_tally(poll, reads), policy, clock.now())


async def _load_tally(poll: str, reads: Reads) -> Tally:
    tally = await reads.tally(poll)
    if tally is None:
        raise Problem(404, "there is no poll of this name")
    return tally


def _poll_json(tally: Tally, policy: Policy, now: datetime) -> Json:
    return tally_json(tally, policy.poll_options(tally.rules.name), now)


def _seconds_to_change(rules: PollPolicy, now: datetime) -> float | None:
    """Until the poll opens or closes."""
    ahead = [each for each in (rules.opens_at, rules.closes_at) if each is not None and each > now]
    return min((each - now).total_seconds() for each in ahead) if ahead else None


_POLL: Final = in_path("poll", TEXT)


def paths() -> Json:
    page = object_of({"items": array_of("Poll"), "next": {"type": "null"}})
    stream = {
        "description": "An event at once, and one whenever the tally or the state has changed, at most two a "
        "second. Its data is a Poll; its id is the number of votes that came in.",
        "content": {"text/event-stream": {"schema": TEXT}},
    }
    return {
        "/api/v1/polls": {
            "get": operation(
                "Every poll as it stands",
                {"200": {"description": "Polls", "content": {"application/json": {"schema": page}}}},
            )
        },
        "/api/v1/polls/{poll}": {
            "get": operation(
                "A poll as it stands", {"200": json_response("Poll"), "404": problem_content()}, _POLL
            )
        },
        "/api/v1/polls/{poll}/events": {
            "get": operation(
                "A poll as it changes: server-sent events",
                {"200": stream, "404": problem_content(), "503": problem_content()},
                _POLL,
            )
        },
    }


def schemas() -> Json:
    not_counted = {each.value: COUNT for each in VoteStatus if each is not VoteStatus.COUNTED}
    poll = {
        "poll": TEXT,
        "state": {
            "enum": list(POLL_STATES),
            "description": "By the clock; calls made in time count when they come.",
        },
        "total": COUNT,
        "options": {"type": "array", "items": object_of({"option": TEXT, "votes": COUNT})},
        "refused": object_of(not_counted, optional=(VoteStatus.FOREIGN.value,)),
        "opens_at": or_null(INSTANT),
        "closes_at": or_null(INSTANT),
        "votes_per_number": {"type": "integer", "minimum": 1},
        "keep": {"enum": ["first", "last"]},
        "countries": {
            "type": "array",
            "items": TEXT,
            "description": "Where the configuration says whose votes count: ISO 3166 codes.",
        },
    }
    return {"Poll": object_of(poll, optional=("countries",))}
