"""The simulator's control API: makes people call, changes their behaviour, starts faults, shows the truth.

    POST   /_sim/ring     {"number", "exophone", "shape", "spelling", "with_date", "count", "wait"}
    POST   /_sim/people   {"number", "name", "answers", "sms", "ring_s", "talks_s", "dnd",
                          "opted_out_of", "lines"}; a field that is left out keeps its value
    POST   /_sim/settings {…}, any field that GET shows: the account, and the exchange's behaviour
    POST   /_sim/heartbeat {"status"}, sends an ExoPhone heartbeat to the URL for missed calls
    POST   /_sim/faults   {"name", "target", "when", "times", "probability", "delay_s", "retry_after_s"}
    DELETE /_sim/faults?name=…
    GET    /_sim/truth    /_sim/settings    /_sim/health    /_sim/ (the list of endpoints)

All bodies are JSON. Every field is optional, except a person's number and a fault's name. Invalid input
gets 400 and an error text. Not for the internet: there is no authentication.
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
from simulator.exchange.inbound_calls import NoMissedCallUrl
from simulator.exchange.model.caller_pool import CallerPool
from simulator.exchange.model.faults import Fault
from simulator.exchange.model.formats import parse_number
from simulator.exchange.model.people import Person, PersonRegistry
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks.misdirected import HeartbeatStatus
from simulator.scenario.schema import SETTING_READERS, TRAITS
from simulator.scenario.value_readers import ValueReader, non_empty_text

RING_FIELDS = ("number", "exophone", "shape", "spelling", "with_date", "count", "wait")
_TRAIT_READERS: Mapping[str, ValueReader] = {
    "name": non_empty_text,
    **{trait.field: trait.reader for trait in TRAITS.values()},
}
PERSON_FIELDS = ("number", *_TRAIT_READERS)
FAULT_FIELDS = ("name", "target", "when", "times", "probability", "delay_s", "retry_after_s")
MAX_CALLS_PER_REQUEST = 10_000

ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "POST /_sim/ring": RING_FIELDS,
    "POST /_sim/people": PERSON_FIELDS,
    "POST /_sim/heartbeat": ("status",),
    "POST /_sim/faults": FAULT_FIELDS,
    "DELETE /_sim/faults": (),
    "POST /_sim/settings": tuple(SETTING_READERS),
    "GET /_sim/settings": (),
    "GET /_sim/truth": (),
    "GET /_sim/health": (),
}
"""The endpoints, with the fields that each takes."""


def build_admin_app(exchange: Exchange, caller_pool: CallerPool) -> QuartTrio:
    """`caller_pool` supplies the callers where a ring names no number."""
    app = QuartTrio("simulator.server.admin")
    _add_error_responses(app)
    _add_state_routes(app, exchange)
    _add_fault_routes(app, exchange)

    @app.post("/_sim/ring")
    async def ring() -> tuple[Response, int]:
        given = await _read_json_object(RING_FIELDS)
        count = given.get("count", 1)
        if not isinstance(count, int) or not 1 <= count <= MAX_CALLS_PER_REQUEST:
            raise ValueError(f"'count' is 1 to {MAX_CALLS_PER_REQUEST}")
        options = {
            name: given[name] for name in ("exophone", "shape", "spelling", "with_date") if name in given
        }
        made: list[tuple[InboundRing, trio.Event]] = []
        for _ in range(count):
            first_try = trio.Event()
            caller = given.get("number") or caller_pool.draw_caller()
            made.append((exchange.ring_in(caller, first_try=first_try, **options), first_try))
        if given.get("wait", True):
            for _, first_try in made:
                await first_try.wait()
        results = [_delivery_result(exchange, call) for call, _ in made]
        is_delivered = not given.get("wait", True) or any(result["failure"] is None for result in results)
        return jsonify(calls=results), 200 if is_delivered else 502

    return app


def _add_error_responses(app: QuartTrio) -> None:
    @app.errorhandler(ValueError)
    async def complain(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @app.errorhandler(NoMissedCallUrl)
    async def complain_of_settings(error: NoMissedCallUrl) -> tuple[Response, int]:
        return jsonify(error=f"{error}; start with --missed-call-url URL"), 409

    @app.errorhandler(404)
    @app.errorhandler(405)
    async def complain_of_path(error: HTTPException) -> tuple[Response, int]:
        what = f"{request.method} {request.path}"
        answer: Response = jsonify(error=f"{what} is not there; there is {', '.join(ENDPOINTS)}")
        answer.headers.extend({name: value for name, value in error.get_headers() if name == "Allow"})
        return answer, error.code or 404


def _add_state_routes(app: QuartTrio, exchange: Exchange) -> None:
    @app.get("/_sim")
    @app.get("/_sim/")
    async def index() -> Response:
        return jsonify(ENDPOINTS)

    @app.get("/_sim/health")
    async def health() -> Response:
        return jsonify(status="ok", now=exchange.state.now().isoformat())

    @app.get("/_sim/truth")
    async def truth() -> Response:
        return jsonify(exchange.ground_truth.as_json())

    @app.post("/_sim/people")
    async def people() -> Response:
        person = _read_person(exchange.people, await _read_json_object(PERSON_FIELDS))
        return jsonify(asdict(exchange.people.add(person)))

    @app.get("/_sim/settings")
    async def settings() -> Response:
        return jsonify(asdict(exchange.settings))

    @app.post("/_sim/settings")
    async def change_settings() -> Response:
        given = await _read_json_object(tuple(SETTING_READERS))
        # Read all values before setting one: after a mistake nothing is changed.
        for name, value in {name: SETTING_READERS[name](value) for name, value in given.items()}.items():
            setattr(exchange.settings, name, value)
        return jsonify(asdict(exchange.settings))


def _add_fault_routes(app: QuartTrio, exchange: Exchange) -> None:
    @app.post("/_sim/heartbeat")
    async def heartbeat() -> Response:
        health = HeartbeatStatus((await _read_json_object(("status",))).get("status", HeartbeatStatus.OK))
        exchange.send_heartbeat(health)
        return jsonify(status=health.value)

    @app.post("/_sim/faults")
    async def start_fault() -> Response:
        given = await _read_json_object(FAULT_FIELDS)
        if "name" not in given:
            raise ValueError("a fault has a 'name'")
        exchange.faults.activate(Fault(**given))
        return jsonify(active=[asdict(fault) for fault in exchange.faults.active])

    @app.delete("/_sim/faults")
    async def stop_faults() -> Response:
        ended = exchange.faults.clear(request.args.get("name"))
        return jsonify(ended=ended, active=[asdict(fault) for fault in exchange.faults.active])


def _delivery_result(exchange: Exchange, ring: InboundRing) -> dict[str, Any]:
    """The result of the first delivery of a missed call's webhook, as far as it is known."""
    deliveries = exchange.ground_truth.deliveries_of(ring.call_sid)
    first = deliveries[0] if deliveries else None
    failure = f"{first.url.partition('?')[0]}: {first.failure}" if first and first.failure else None
    return {
        "call_sid": ring.call_sid,
        "number": ring.number,
        "status": first.status if first else None,
        "verdict": first.verdict if first else None,
        "failure": "busy: all channels of the account are in use" if ring.engaged else failure,
    }


def _read_person(people: PersonRegistry, given: Mapping[str, Any]) -> Person:
    """Return the person with the given number and the given changes. Raises ValueError."""
    number = parse_number(str(given.get("number", "")))
    if number is None:
        raise ValueError("a person has a 'number', which is a telephone number")
    changes = {name: reader(given[name]) for name, reader in _TRAIT_READERS.items() if name in given}
    return replace(people.find(number), **changes)


async def _read_json_object(known: tuple[str, ...]) -> dict[str, Any]:
    """Return the request's JSON object, or an empty one. Raises ValueError, also for unknown fields."""
    given = await request.get_json(force=True, silent=True) if await request.get_data() else {}
    if not isinstance(given, dict):
        raise ValueError("the body must be one JSON object")
    for name in given:
        if name not in known:
            raise ValueError(f"unknown field {name!r}; known are {', '.join(known)}")
    return given
