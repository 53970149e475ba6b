"""docs/simulator.md names every key of a scenario file and of `/_sim/`, and every value that has a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pytest

from simulator.scenario.reader import FILE_KEYS
from simulator.scenario.schema import (
    BOUNDS_BY_MEASURE,
    CHANGEABLE_TRAITS,
    CHOICES_BY_KEY,
    MEASURE_FILTERS,
    SETTING_READERS,
    TIMELINE_EVENTS,
    TRAITS,
)
from simulator.server.admin import ENDPOINTS
from tests.docs.markdown import page

TEXT = page("docs/simulator.md").text


def section(heading: str) -> str:
    """What stands below a heading, up to the next of the same or a higher level."""
    (found,) = re.finditer(rf"^(#+) {re.escape(heading)}$", TEXT, re.MULTILINE)
    rest = TEXT[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def row(of: str, name: str) -> str:
    """The row of a table that begins with this name."""
    (found,) = re.findall(rf"^\| `{re.escape(name)}` \|.*$", of, re.MULTILINE)
    return str(found)


def named(names: Iterable[str], text: str) -> bool:
    missing = [
        name for name in names if not re.search(rf"`[^`]*(?<![\w-]){re.escape(name)}(?![\w-])[^`]*`", text)
    ]
    assert not missing
    return True


def test_each_key_of_a_file_is_named() -> None:
    assert named(FILE_KEYS, section("Keys of a file"))


def test_each_trait_of_a_person_is_named() -> None:
    assert named(["number", *TRAITS], section("people"))


@pytest.mark.parametrize("event", TIMELINE_EVENTS)
def test_each_event_is_named_with_all_its_keys(event: str) -> None:
    assert named(TIMELINE_EVENTS[event], row(section("The timeline"), event))


@pytest.mark.parametrize("measure", MEASURE_FILTERS)
def test_each_measure_is_named_with_all_its_filters(measure: str) -> None:
    assert named(MEASURE_FILTERS[measure], row(section("Expectations"), measure))


def test_each_bound_is_named() -> None:
    assert named(
        {bound for bounds in BOUNDS_BY_MEASURE.values() for bound in bounds}, section("Expectations")
    )


def test_each_setting_of_the_exchange_is_named() -> None:
    assert named(SETTING_READERS, section("exchange"))


def test_each_named_value_is_explained() -> None:
    values = {value.value for words in CHOICES_BY_KEY.values() for value in words}
    assert named(values, section("Scenarios"))


def test_what_a_person_may_change_is_what_a_person_has() -> None:
    assert CHANGEABLE_TRAITS.keys() == TRAITS.keys()


@pytest.mark.parametrize("request_line", ENDPOINTS)
def test_each_control_path_is_named_with_its_keys(request_line: str) -> None:
    text = section("Control paths")
    assert row(text, request_line)
    keys: Mapping[str, None] = dict.fromkeys(ENDPOINTS[request_line])
    assert named(keys, section("exchange") if request_line == "POST /_sim/settings" else text)
