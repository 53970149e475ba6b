"""The API of the polls: how each stands, and the same as a stream that follows it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock
from missedd.core.policy import Policy, PollPolicy
from missedd.core.polls.tally import STATES, Tally, told
from missedd.core.polls.voting_rules import Standing
from missedd.web.api.openapi_parts import answer, in_path, operation, refusal
from missedd.web.api.schemas import COUNT, INSTANT, TEXT, Json, array_of, object_of, or_null
from missedd.web.shared.ports import Changes, Reads
from missedd.web.shared.problems import Problem
from missedd.web.shared.sse import Sight, Streams


def add_polls(api: Blueprint, reads: Reads, changes: Changes, policy: Policy, clock: Clock) -> None:
    streams = Streams(changes)

    @api.get("/v1/polls")
    async def polls() -> Response:
        return jsonify({"items": await polls_now(reads, policy, clock), "next": None})

    @api.get("/v1/polls/<poll>")
    async def poll(poll: str) -> Response:
        return jsonify(await poll_now(poll, reads, policy, clock))

    @api.get("/v1/polls/<poll>/events")
    async def events(poll: str) -> Response:
        async def look() -> Sight:
            tally, now = await _tally_of(poll, reads), clock.now()
            return Sight(tally.calls, _shown(tally, policy, now), _changes_in_s(tally.rules, now))

        await _tally_of(poll, reads)
        return streams.response(poll, look)


async def polls_now(reads: Reads, policy: Policy, clock: Clock) -> list[Json]:
    """Every poll that there is or was, the configuration's first."""
    configured = [each.name for each in policy.polls]
    names = dict.fromkeys([*configured, *await reads.polls()])
    now, tallies = clock.now(), [await reads.tally(each) for each in names]
    return [_shown(each, policy, now) for each in tallies if each is not None]


async def poll_now(poll: str, reads: Reads, policy: Policy, clock: Clock) -> Json:
    """A poll as it stands, as the API shows it. Raises `Problem` if there is none of this name."""
    return _shown(await _tally_of(poll, reads), policy, clock.now())


async def _tally_of(poll: str, reads: Reads) -> Tally:
    tally = await reads.tally(poll)
    if tally is None:
        raise Problem(404, "there is no poll of this name")
    return tally


def _shown(tally: Tally, policy: Policy, now: datetime) -> Json:
    return told(tally, policy.options(tally.rules.name), now)


def _changes_in_s(rules: PollPolicy, now: datetime) -> float | None:
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
            "get": operation("A poll as it stands", {"200": answer("Poll"), "404": refusal()}, _POLL)
        },
        "/api/v1/polls/{poll}/events": {
            "get": operation(
                "A poll as it changes: server-sent events",
                {"200": stream, "404": refusal(), "503": refusal()},
                _POLL,
            )
        },
    }


def schemas() -> Json:
    not_counted = {each.value: COUNT for each in Standing if each is not Standing.COUNTED}
    poll = {
        "poll": TEXT,
        "state": {
            "enum": list(STATES),
            "description": "By the clock; calls made in time count when they come.",
        },
        "total": COUNT,
        "options": {"type": "array", "items": object_of({"option": TEXT, "votes": COUNT})},
        "refused": object_of(not_counted, optional=(Standing.FOREIGN.value,)),
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
