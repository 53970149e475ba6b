"""The API by which an operator says what became of an action whose outcome is unknown."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response, jsonify

from missedd.core.actions.resolution import SETTLING, Settlement
from missedd.core.model import Outcome
from missedd.web.shared.actor import acting
from missedd.web.shared.json_body import json_object, line_of
from missedd.web.shared.ports import Operations
from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import action_id_of

_REFUSALS: Final = {
    Settlement.NO_SUCH_ACTION: Problem(404, "no action has this id"),
    Settlement.NOT_UNKNOWN: Problem(
        409, "its outcome is not unknown: only an action that ended as `unknown`, or whose answer was lost"
    ),
    Settlement.SETTLED_OTHERWISE: Problem(409, "an operator has settled it before, and otherwise"),
    Settlement.WRONG_OUTCOME: bad_input("outcome", "is none that an action of this kind can have"),
}


def add_settle(api: Blueprint, operations: Operations) -> None:
    @api.post("/v1/actions/<action_id>/settle")
    async def settle(action_id: str) -> Response:
        wanted_id = action_id_of(action_id)
        body = await json_object("outcome", "note")
        outcome = body.get("outcome")
        if outcome not in SETTLING:
            raise bad_input("outcome", f"is none of {', '.join(SETTLING)}")
        note = None if body.get("note") is None else line_of(body, "note")
        settlement = await operations.settle(acting(), wanted_id, Outcome(outcome), note)
        if settlement in _REFUSALS:
            refusal = _REFUSALS[settlement]
            raise Problem(refusal.status, refusal.detail, refusal.field)
        return jsonify({"id": wanted_id, "outcome": Outcome.UNKNOWN, "settled_outcome": outcome})
