"""The OpenAPI document's part about what an operator changes, from the descriptions of the actions."""

from __future__ import annotations

from collections import defaultdict

from missedd.operator_actions.description import Argument, ArgumentKind, OperatorAction
from missedd.operator_actions.table import ACTIONS
from missedd.web.api.openapi_parts import in_path, json_response, operation, problem_content, request_body
from missedd.web.api.schemas import INSTANT, NUMBER, NUMBER_OR_PREFIX, TEXT, Json, object_of, or_null


def paths() -> Json:
    found: defaultdict[str, Json] = defaultdict(dict)
    for action in ACTIONS:
        found[f"/api{action.path}"][action.method.lower()] = _operation(action)
    return dict(found)


def schemas() -> Json:
    """What the actions take and answer, by the schemas' names."""
    found: Json = {}
    for action in ACTIONS:
        if action.body_schema is not None:
            found[action.body_schema] = object_of(
                {argument.name: _schema(argument) for argument in action.body_arguments},
                optional=tuple(each.name for each in action.body_arguments if not each.is_required),
            )
        if action.response.schema is not None and action.response.properties:
            found[action.response.schema] = object_of(action.response.properties)
    return found


def _operation(action: OperatorAction) -> Json:
    response = action.response
    done = {"description": "Done"} if response.schema is None else json_response(response.schema)
    answers = {str(response.status): done} | {str(each): problem_content() for each in response.refusals}
    parameters = (
        in_path(argument.name, _schema(argument))
        for argument in action.arguments
        if action.is_in_path(argument)
    )
    body = {} if action.body_schema is None else request_body(action.body_schema)
    return operation(action.operation_id, action.summary, answers, *parameters) | body


def _schema(argument: Argument) -> Json:
    described = {"description": argument.description} if argument.description else {}
    return _type_of(argument) | described


def _type_of(argument: Argument) -> Json:
    match argument.kind:
        case ArgumentKind.NUMBER:
            return NUMBER
        case ArgumentKind.NUMBER_OR_PREFIX:
            return NUMBER_OR_PREFIX
        case ArgumentKind.NAME:
            return TEXT
        case ArgumentKind.LINE:
            return TEXT if argument.is_required else or_null(TEXT)
        case ArgumentKind.UNTIL:
            return or_null(INSTANT)
        case ArgumentKind.ROW_ID:
            return {"type": "integer", "minimum": 1}
        case ArgumentKind.CHOICE:
            return {"enum": list(argument.choices)}
        case ArgumentKind.FLAG:
            return {"type": "boolean", "default": False}
