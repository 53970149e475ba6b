"""The forms of the operator actions, made from the descriptions in `missedd.operator_actions`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from quart import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.operator_actions.description import (
    AnswerContext,
    Argument,
    ArgumentKind,
    ChangeRefused,
    Form,
    OperatorAction,
    Values,
)
from missedd.operator_actions.table import ACTIONS
from missedd.web.console.context import ConsoleContext
from missedd.web.console.forms import FormError, line_field, number_field, redirect_back
from missedd.web.shared.actor import current_actor
from missedd.web.shared.answer_reads import StoredAnswers

DURATION_FIELD = "lasts"
"""The form field for how long a change lasts."""


def add_operator_forms(console: Blueprint, context: ConsoleContext) -> None:
    @console.app_context_processor
    def everywhere() -> dict[str, object]:
        return {"forms_beside": _forms_beside}

    for action in ACTIONS:
        if action.form is not None:
            rule = action.form.path
            for argument in action.arguments:
                kind = "int:" if argument.kind is ArgumentKind.ROW_ID else ""
                rule = rule.replace(f"{{{argument.name}}}", f"<{kind}{argument.name}>")
            view = _view(action, action.form, context)
            console.add_url_rule(rule, endpoint=action.name, view_func=view, methods=["POST"])


def _forms_beside(place: str) -> list[OperatorAction]:
    """The actions that have a form at this place, in the order of `ACTIONS`."""
    return [action for action in ACTIONS if action.form is not None and action.form.place == place]


def _view(
    action: OperatorAction, form: Form, context: ConsoleContext
) -> Callable[..., Awaitable[BaseResponse]]:
    answer_context = AnswerContext(StoredAnswers(context.read), context.policy, context.clock)

    async def view(**path: object) -> BaseResponse:
        fields = await request.form
        now = context.clock.now()
        values = {
            argument.name: path[argument.name]
            if argument.name in path
            else _read_field(argument, form, fields, now)
            for argument in action.arguments
        }
        if form.last_digits:
            _check_last_digits(str(values["number"]), fields.get("last", ""), form.last_digits)
        change = action.build_change(values)
        try:
            action.check(context.policy, change)
            result = await context.operations.perform(current_actor(), change)
            body = await action.answer(answer_context, change, result)
        except ChangeRefused as refusal:
            raise FormError(_refusal(action, values, refusal)) from None
        return await redirect_back(_sentences(action.done(values, body or {}, _local_text(context, now))))

    return view


def _read_field(argument: Argument, form: Form, fields: Mapping[str, str], now: datetime) -> object:
    """Read the value of an argument from a form. Raises `FormError`."""
    text = fields.get(argument.name, "")
    match argument.kind:
        case ArgumentKind.NUMBER | ArgumentKind.NUMBER_OR_PREFIX:
            return number_field(text, or_prefix=argument.kind is ArgumentKind.NUMBER_OR_PREFIX)
        case ArgumentKind.LINE | ArgumentKind.NAME:
            return line_field(text, argument.help, required=argument.is_required) or None
        case ArgumentKind.UNTIL:
            if (chosen := fields.get(DURATION_FIELD, "")) not in form.durations:
                raise FormError("Please choose how long it is to last.")
            lasts = form.durations[chosen][1]
            return None if lasts is None else now + lasts
        case ArgumentKind.CHOICE:
            for choice in argument.choices:
                if choice == text:
                    return choice
        case ArgumentKind.FLAG:
            if text in ("true", "false"):
                return text == "true"
        case ArgumentKind.ROW_ID:
            if text.isascii() and text.isdigit() and len(text) < 19:
                return int(text)
    raise FormError(f"Please choose {argument.help}.")


def _check_last_digits(number: str, typed: str, count: int) -> None:
    if typed.strip() != number[-count:]:
        raise FormError(f"Nothing is changed: those are not the last {count} digits of {number}.")


def _local_text(context: ConsoleContext, now: datetime) -> Callable[[str], str]:
    """A function that formats an instant in local time: `14:30` today, `2026-11-23 14:30` otherwise."""

    def write(iso: str) -> str:
        local = context.to_local(iso)
        is_today = local.date() == now.astimezone(context.zone).date()
        return f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"

    return write


def _refusal(action: OperatorAction, values: Values, refusal: ChangeRefused) -> str:
    subject = action.subject.format_map(values)
    # A subject that begins with a name or a number is not capitalised.
    begun = subject if action.subject.startswith("{") else f"{subject[:1].upper()}{subject[1:]}"
    return f"{begun}: {refusal.detail}."


def _sentences(lines: str) -> str:
    """Make a sentence of each line: with a capital letter and a full stop."""
    return " ".join(f"{line[:1].upper()}{line[1:]}." for line in lines.split("\n"))
