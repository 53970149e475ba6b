"""The hand on the simulator: makes people ring, changes their tempers, breaks things, shows the truth.

    POST   /_sim/ring     {"number", "exophone", "shape", "spelling", "with_date", "count", "wait"}
    POST   /_sim/people   {"number", "name", "answers", "sms", "ring_s", "talks_s", "dnd",
                          "opted_out_of", "lines"}: what is not said of somebody stays as it was
    POST   /_sim/settings {…}, any of what GET shows: the account, and the exchange's manners
    POST   /_sim/heartbeat {"status"}, of the ExoPhones, at the address for missed calls
    POST   /_sim/faults   {"name", "target", "when", "times", "probability", "delay_s", "retry_after_s"}
    DELETE /_sim/faults?name=…
    GET    /_sim/truth    /_sim/settings    /_sim/health    /_sim/ (what there is)

All JSON, every field but a person's number and a fault's name optional. Bad input is 400 with
what is wrong. Not for the internet: it asks nobody for a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import trio
from quart import Response, jsonify, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from simulator.exchange.exchange import Exchange
from simulator.exchange.inbound_calls import NowhereToPost
from simulator.exchange.model.caller_pool import Crowd
from simulator.exchange.model.faults import Fault
from simulator.exchange.model.formats import e164
from simulator.exchange.model.people import People, Person
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks.misdirected import Health
from simulator.scenario.schema import SETTINGS, TRAITS
from simulator.scenario.value_readers import Reading, text

RING_FIELDS = ("number", "exophone", "shape", "spelling", "with_date", "count", "wait")
_TRAITS: Mapping[str, Reading] = {"name": text, **{trait.field: trait.reads for trait in TRAITS.values()}}
PERSON_FIELDS = ("number", *_TRAITS)
FAULT_FIELDS = ("name", "target", "when", "times", "probability", "delay_s", "retry_after_s")
MOST_AT_ONCE = 10_000

INDEX: Mapping[str, tuple[str, ...]] = {
    "POST /_sim/ring": RING_FIELDS,
    "POST /_sim/people": PERSON_FIELDS,
    "POST /_sim/heartbeat": ("status",),
    "POST /_sim/faults": FAULT_FIELDS,
    "DELETE /_sim/faults": (),
    "POST /_sim/settings": tuple(SETTINGS),
    "GET /_sim/settings": (),
    "GET /_sim/truth": (),
    "GET /_sim/health": (),
}
"""What there is, with the fields that it takes."""


def build_admin(exchange: Exchange, crowd: Crowd) -> QuartTrio:
    """`crowd` supplies the callers where a ring names no number."""
    app = QuartTrio("simulator.server.admin")

    @app.errorhandler(ValueError)
    async def complain(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @app.errorhandler(NowhereToPost)
    async def complain_of_settings(error: NowhereToPost) -> tuple[Response, int]:
        return jsonify(error=f"{error}; start with --missed-call-url URL"), 409

    @app.errorhandler(404)
    @app.errorhandler(405)
    async def complain_of_path(error: HTTPException) -> tuple[Response, int]:
        what = f"{request.method} {request.path}"
        answer: Response = jsonify(error=f"{what} is not there; there is {', '.join(INDEX)}")
        answer.headers.extend({name: value for name, value in error.get_headers() if name == "Allow"})
        return answer, error.code or 404

    @app.get("/_sim")
    @app.get("/_sim/")
    async def index() -> Response:
        return jsonify(INDEX)

    @app.get("/_sim/health")
    async def health() -> Response:
        return jsonify(status="ok", now=exchange.world.now().isoformat())

    @app.get("/_sim/truth")
    async def truth() -> Response:
        return jsonify(exchange.truth.as_json())

    @app.post("/_sim/people")
    async def people() -> Response:
        person = _person(exchange.people, await _object(PERSON_FIELDS))
        return jsonify(asdict(exchange.people.add(person)))

    @app.get("/_sim/settings")
    async def settings() -> Response:
        return jsonify(asdict(exchange.settings))

    @app.post("/_sim/settings")
    async def change_settings() -> Response:
        given = await _object(tuple(SETTINGS))
        # All are read before any is set: a mistake changes nothing.
        for name, value in {name: SETTINGS[name](value) for name, value in given.items()}.items():
            setattr(exchange.settings, name, value)
        return jsonify(asdict(exchange.settings))

    @app.post("/_sim/heartbeat")
    async def heartbeat() -> Response:
        health = Health((await _object(("status",))).get("status", Health.OK))
        exchange.beat(health)
        return jsonify(status=health.value)

    @app.post("/_sim/faults")
    async def start_fault() -> Response:
        given = await _object(FAULT_FIELDS)
        if "name" not in given:
            raise ValueError("a fault has a 'name'")
        exchange.faults.activate(Fault(**given))
        return jsonify(active=[asdict(one) for one in exchange.faults.active])

    @app.delete("/_sim/faults")
    async def stop_faults() -> Response:
        ended = exchange.faults.clear(request.args.get("name"))
        return jsonify(ended=ended, active=[asdict(one) for one in exchange.faults.active])

    @app.post("/_sim/ring")
    async def ring() -> tuple[Response, int]:
        given = await _object(RING_FIELDS)
        count = given.get("count", 1)
        if not isinstance(count, int) or not 1 <= count <= MOST_AT_ONCE:
            raise ValueError(f"'count' is 1 to {MOST_AT_ONCE}")
        options = {
            name: given[name] for name in ("exophone", "shape", "spelling", "with_date") if name in given
        }
        made: list[tuple[InboundRing, trio.Event]] = []
        for _ in range(count):
            first_try = trio.Event()
            caller = given.get("number") or crowd.person()
            made.append((exchange.ring_in(caller, first_try=first_try, **options), first_try))
        if given.get("wait", True):
            for _, first_try in made:
                await first_try.wait()
        answers = [_told(exchange, one) for one, _ in made]
        was_heard = not given.get("wait", True) or any(one["failure"] is None for one in answers)
        return jsonify(calls=answers), 200 if was_heard else 502

    return app


def _told(exchange: Exchange, ring: InboundRing) -> dict[str, Any]:
    """What came of telling the other side about a missed call, as far as is known."""
    deliveries = exchange.truth.deliveries_of(ring.call_sid)
    first = deliveries[0] if deliveries else None
    failure = f"{first.url.partition('?')[0]}: {first.failure}" if first and first.failure else None
    return {
        "call_sid": ring.call_sid,
        "number": ring.number,
        "status": first.status if first else None,
        "verdict": first.verdict if first else None,
        "failure": "busy: all channels of the account are in use" if ring.engaged else failure,
    }


def _person(people: People, given: Mapping[str, Any]) -> Person:
    """Whoever has the number, with what is said of them now. Raises ValueError."""
    number = e164(str(given.get("number", "")))
    if number is None:
        raise ValueError("a person has a 'number', which is a telephone number")
    said = {name: reads(given[name]) for name, reads in _TRAITS.items() if name in given}
    return replace(people.find(number), **said)


async def _object(known: tuple[str, ...]) -> dict[str, Any]:
    """The request's JSON object, or an empty one. Raises ValueError, unknown fields included."""
    given = await request.get_json(force=True, silent=True) if await request.get_data() else {}
    if not isinstance(given, dict):
        raise ValueError("the body is to be one JSON object")
    for name in given:
        if name not in known:
            raise ValueError(f"unknown field {name!r}; known are {', '.join(known)}")
    return given
