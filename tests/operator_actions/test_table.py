"""The descriptions of the operator's actions, held to what reads them."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from missedd.operator_actions.description import ArgumentKind, OperatorAction, OperatorChange
from missedd.operator_actions.table import ACTIONS, AUDIT_ACTIONS
from missedd.store.operations.table import OPERATIONS
from missedd.web.api.openapi import build_document


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_action_arguments_are_the_fields_of_its_change(action: OperatorAction) -> None:
    arguments = {argument.name: argument for argument in action.arguments}
    assert [*arguments] == [field.name for field in fields(action.change)]
    places = re.findall(r"{(\w+)}", action.path)
    assert set(places) <= set(arguments)
    assert bool(action.body_arguments) is (action.body_schema is not None)
    for argument in action.arguments:
        assert (argument.kind is ArgumentKind.CHOICE) is bool(argument.choices)
        assert not (argument.is_option and action.is_in_path(argument))
    if action.form is not None:
        assert set(re.findall(r"{(\w+)}", action.form.path)) <= set(arguments)
        has_end = any(argument.kind is ArgumentKind.UNTIL for argument in action.arguments)
        assert has_end is bool(action.form.durations)


def test_every_change_has_one_unit_of_work_and_a_name_in_the_audit_record() -> None:
    changes = {change.__name__ for change in OperatorChange.__subclasses__()}
    assert {change.__name__ for change in OPERATIONS} == changes
    assert {action.change for action in ACTIONS} <= {*OPERATIONS}
    assert {change.audit_action for change in OPERATIONS} == {*AUDIT_ACTIONS}
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", name) for name in AUDIT_ACTIONS)


def test_operations_of_the_document_have_names_of_their_own() -> None:
    names = [action.operation_id for action in ACTIONS]
    assert len(names) == len({*names})
    paths = build_document()["paths"]
    for action in ACTIONS:
        operation = paths[f"/api{action.path}"][action.method.lower()]
        assert (operation["operationId"], operation["summary"]) == (action.operation_id, action.summary)
