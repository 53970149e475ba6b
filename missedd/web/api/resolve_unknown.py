"""The API by which an operator says what became of an action whose outcome is unknown."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.core.actions.resolution import RESOLUTION_OUTCOMES, Resolution
from missedd.core.model import Outcome
from missedd.web.shared.actor import current_actor
from missedd.web.shared.json_body import parse_line, read_json_object
from missedd.web.shared.ports import Operations
from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import parse_action_id

_REFUSALS: Final = {
    Resolution.NO_SUCH_ACTION: Problem(404, "no action has this id"),
    Resolution.NOT_UNKNOWN: Problem(
        409, "its outcome is not unknown: only an action that ended as `unknown`, or whose answer was lost"
    ),
    Resolution.SETTLED_OTHERWISE: Problem(409, "an operator has settled it before, and otherwise"),
    Resolution.WRONG_OUTCOME: bad_input("outcome", "is none that an action of this kind can have"),
}


def add_resolve(api: Blueprint, operations: Operations) -> None:
    @api.post("/v1/actions/<action_id>/settle")
    async def settle(action_id: str) -> Response:
        wanted_id = parse_action_id(action_id)
        body = await read_json_object("outcome", "note")
        outcome = body.get("outcome")
        if outcome not in RESOLUTION_OUTCOMES:
            raise bad_input("outcome", f"is none of {', '.join(RESOLUTION_OUTCOMES)}")
        note = None if body.get("note") is None else parse_line(body, "note")
        settlement = await operations.resolve_unknown(current_actor(), wanted_id, Outcome(outcome), note)
        if settlement in _REFUSALS:
            refusal = _REFUSALS[settlement]
            raise Problem(refusal.status, refusal.detail, refusal.field)
        return jsonify({"id": wanted_id, "outcome": Outcome.UNKNOWN, "settled_outcome": outcome})
