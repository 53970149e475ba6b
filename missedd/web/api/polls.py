"""The API of the polls: how each stands, and the same as a stream that follows it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.base.clock import Clock
from missedd.core.api_types.polls import PollJson, poll_json
from missedd.core.policy import Policy, PollPolicy
from missedd.core.polls.tally import Tally
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader
from missedd.web.api.openapi_parts import in_path, json_response, operation, problem_content
from missedd.web.api.schemas import TEXT, Json, array_of, object_of
from missedd.web.shared.ports import PollFeed
from missedd.web.shared.problems import Problem
from missedd.web.shared.sse import EventStreams, Snapshot


def add_polls(api: Blueprint, read: StoreReader, poll_feed: PollFeed, policy: Policy, clock: Clock) -> None:
    streams = EventStreams(poll_feed)

    @api.get("/v1/polls")
    async def polls() -> Response:
        return jsonify({"items": await poll_tallies(read, policy, clock), "next": None})

    @api.get("/v1/polls/<poll>")
    async def poll(poll: str) -> Response:
        return jsonify(await poll_tally(poll, read, policy, clock))

    @api.get("/v1/polls/<poll>/events")
    async def events(poll: str) -> Response:
        async def look() -> Snapshot:
            tally, now = await _load_tally(poll, read), clock.now()
            return Snapshot(tally.calls, _poll_json(tally, policy, now), _seconds_to_change(tally.rules, now))

        await _load_tally(poll, read)
        return streams.response(poll, look)


async def poll_tallies(read: StoreReader, policy: Policy, clock: Clock) -> list[PollJson]:
    """Every poll that there is or was, the configuration's first."""
    configured = [each.name for each in policy.polls]
    names = dict.fromkeys([*configured, *await read(reader.polls)])
    now, tallies = clock.now(), [await read(reader.tally, name) for name in names]
    return [_poll_json(each, policy, now) for each in tallies if each is not None]


async def poll_tally(poll: str, read: StoreReader, policy: Policy, clock: Clock) -> PollJson:
    """A poll as it stands, as the API shows it. Raises `Problem` if there is none of this name."""
    return _poll_json(await _load_tally(poll, read), policy, clock.now())


async def _load_tally(poll: str, read: StoreReader) -> Tally:
    tally = await read(reader.tally, poll)
    if tally is None:
        raise Problem(404, "there is no poll of this name")
    return tally


def _poll_json(tally: Tally, policy: Policy, now: datetime) -> PollJson:
    return poll_json(tally, policy.poll_options(tally.rules.name), now)


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
                "listPolls",
                "Every poll as it stands",
                {"200": {"description": "Polls", "content": {"application/json": {"schema": page}}}},
            )
        },
        "/api/v1/polls/{poll}": {
            "get": operation(
                "getPoll",
                "A poll as it stands",
                {"200": json_response("Poll"), "404": problem_content()},
                _POLL,
            )
        },
        "/api/v1/polls/{poll}/events": {
            "get": operation(
                "followPoll",
                "A poll as it changes: server-sent events",
                {"200": stream, "404": problem_content(), "503": problem_content()},
                _POLL,
            )
        },
    }
