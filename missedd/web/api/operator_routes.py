"""The routes by which an operator changes something: one for each of `missedd.operator_actions`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quart import Blueprint, Response, jsonify

from missedd.operator_actions.description import (
    AnswerContext,
    Argument,
    ArgumentKind,
    ChangeRefused,
    OperatorAction,
)
from missedd.operator_actions.table import ACTIONS
from missedd.web.shared.actor import current_actor
from missedd.web.shared.json_body import parse_line, parse_until, read_json_object
from missedd.web.shared.ports import Operations
from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import parse_id, parse_number, parse_number_or_prefix

type View = Callable[..., Awaitable[tuple[Response | str, int]]]


def add_operator_routes(api: Blueprint, operations: Operations, context: AnswerContext) -> None:
    for action in ACTIONS:
        rule = action.path.replace("{", "<").replace("}", ">")
        view = _view(action, operations, context)
        api.add_url_rule(rule, endpoint=action.name, view_func=view, methods=[action.method])


def _view(action: OperatorAction, operations: Operations, context: AnswerContext) -> View:
    zone = ZoneInfo(context.policy.timezone)

    async def view(**path: str) -> tuple[Response | str, int]:
        now = context.clock.now()
        values = {
            argument.name: _read_value(argument, path, zone, now)
            for argument in action.arguments
            if action.is_in_path(argument)
        }
        if action.body_arguments:
            body = await read_json_object(*(argument.name for argument in action.body_arguments))
            for argument in action.body_arguments:
                values[argument.name] = _read_value(argument, body, zone, now)
        change = action.build_change(values)
        try:
            action.check(context.policy, change)
            result = await operations.perform(current_actor(), change)
            answer = await action.answer(context, change, result)
        except ChangeRefused as refusal:
            raise Problem(refusal.status, refusal.detail, refusal.field) from None
        return "" if answer is None else jsonify(answer), action.response.status

    return view


def _read_value(argument: Argument, source: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> object:
    """An argument's value out of the path or the body. Raises `Problem`."""
    name, value = argument.name, source.get(argument.name)
    match argument.kind:
        case ArgumentKind.NUMBER:
            return parse_number(value, name)
        case ArgumentKind.NUMBER_OR_PREFIX:
            return parse_number_or_prefix(value)
        case ArgumentKind.NAME:
            return value
        case ArgumentKind.LINE:
            return None if value is None and not argument.is_required else parse_line(source, name)
        case ArgumentKind.UNTIL:
            return parse_until(source, zone, now)
        case ArgumentKind.ROW_ID:
            return parse_id(str(value), argument.row_of)
        case ArgumentKind.CHOICE:
            for choice in argument.choices:
                if choice == value:
                    return choice
            raise bad_input(name, f"is none of {', '.join(argument.choices)}")
        case ArgumentKind.FLAG:
            if not isinstance(value := source.get(name, False), bool):
                raise bad_input(name, "is true or false")
            return value
