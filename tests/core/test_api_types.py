"""The objects of the API: their keys in JSON, the columns of their CSV, and their schemas."""

from __future__ import annotations

import msgspec
import pytest

from missedd.core.api_types.actions import ListedActionJson
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.calls import CallJson
from missedd.core.api_types.polls import NotCountedJson
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.web.api.schemas import ANSWERS, answers
from tests.core.objects import made


def test_a_key_that_python_keeps_for_itself_has_another_attribute() -> None:
    call = made(CallJson, from_="+919876543210")
    assert msgspec.to_builtins(call)["from"] == "+919876543210"
    assert CallJson.columns()["from"] == "from_"


@pytest.mark.parametrize(
    ("of", "first"),
    [
        (CallJson, ["call_sid", "from", "to", "campaign"]),
        (ListedActionJson, ["id", "call_sid", "campaign", "kind", "number", "state"]),
        (SuppressionJson, ["number", "reason", "source", "since", "until", "channel", "call_sid", "class"]),
    ],
)
def test_columns_stand_in_the_order_of_the_fields_but_for_those_that_were_moved(
    of: type[ApiObject], first: list[str]
) -> None:
    assert list(of.columns())[: len(first)] == first
    assert sorted(of.columns().values()) == sorted(of.__struct_fields__)


def test_the_words_of_a_code_stand_beside_it_in_csv() -> None:
    columns = list(ListedActionJson.columns())
    assert columns.index("code_words") == columns.index("code") + 1


def test_what_does_not_concern_a_poll_has_no_key() -> None:
    counts = NotCountedJson(1, 2, 3, 4)
    assert msgspec.to_builtins(counts) == {"surplus": 1, "replaced": 2, "early": 3, "late": 4}
    assert counts.by_reason() == msgspec.to_builtins(counts)
    assert NotCountedJson(1, 2, 3, 4, 0).by_reason()["foreign"] == 0


def test_schemas_name_no_class_and_require_whatever_is_always_there() -> None:
    found = answers(ANSWERS)
    assert "Json" not in str(found)
    assert found["Lead"]["required"] == list(found["Lead"]["properties"])
    assert set(found["Poll"]["properties"]) - set(found["Poll"]["required"]) == {"countries"}
    assert all(schema["description"] for schema in found.values())
