"""docs/configuration.md names every key that the reader of the configuration asks for, with its default.

Each row of the page is tried: its default, written out, changes nothing; its example changes something.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from missedd.config import secrets
from missedd.config.loader import InvalidConfig, Settings, load_settings_table

PAGE: Final = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "duration": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "date-time": (datetime,),
    "countries": (list, str),
    'integer or `"any"`': (int, str),
    "array or table": (list, dict),
    "string or array": (str, list),
}
SMS: Final = 'sender = "EXAMPL"\nbody = "Thank you."\n'
BASE: Final = f"""
[exotel]
account_sid = "example1"
[[poll]]
name = "singer"
[[poll]]
name = "film"
[[campaign]]
name = "admissions"
exophones = ["+918047120001"]
[campaign.callback]
agents = ["+919876500001", "+919876500002"]
[campaign.sms]
{SMS}
[campaign.lead]
[campaign.webhook]
url = "https://crm.example.in/missed-call"
[campaign.hours]
open = ["mon-fri 09:30-18:30"]
[campaign.after_hours]
[campaign.after_hours.sms]
body = "We are closed."
[campaign.vote]
poll = "singer"
option = "Asha"
[campaign.subscribe]
list = "weather"
[campaign.unsubscribe]
list = "weather"
[campaign.verify]
"""
"""Every table with no more keys than it must have."""


@dataclass(frozen=True, slots=True)
class Row:
    header: str
    """Of its table, as in `campaign.callback`; empty at the top of the file."""
    key: str
    type: str
    default: str
    example: str

    def __str__(self) -> str:
        return f"{self.header}.{self.key}".lstrip(".")

    @property
    def default_value(self) -> object | None:
        """The default as TOML has it; None where the page describes it in words."""
        found = re.fullmatch(r"`([^`]+)`", self.default)
        return None if found is None else toml(found[1])

    @property
    def example_value(self) -> object:
        found = re.fullmatch(r"`([^`]+)`", self.example)
        assert found is not None, f"{self}: the example is one value in backticks"
        return toml(found[1])


def rows(page: str) -> Iterator[Row]:
    """Every row of the tables of keys, up to the secrets."""
    header = ""
    for line in page.partition("## Top of the file")[2].partition("## Secrets")[0].splitlines():
        if heading := re.fullmatch(r"#+ `\[+([a-z_.]+)\]+`", line):
            header = heading[1]
        elif cells := re.fullmatch(r"\| `([a-z_-]+)` \| (.+?) \| (.+?) \| (.+?) \| .+ \|", line):
            yield Row(header, *cells.groups())


def toml(value: str) -> object:
    return tomllib.loads(f"key = {value}")["key"]


ROWS: Final = tuple(rows(PAGE))
HEADERS: Final = re.findall(r"^#+ `\[+([a-z_.]+)\]+`$", PAGE, re.MULTILINE)


class Asked(dict[str, Any]):
    """A table that notes which of its keys are asked for; the tables in it do the same."""

    def __init__(self, header: str, values: Mapping[str, Any], asked: set[str]) -> None:
        super().__init__()
        self._header, self._asked = header, asked
        for key, value in values.items():
            below = f"{header}.{key}".lstrip(".")
            if isinstance(value, dict):
                self[key] = Asked(below, value, asked)
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                self[key] = [Asked(below, table, asked) for table in value]
            else:
                self[key] = value

    def get(self, key: str, default: Any = None, /) -> Any:
        self._asked.add(f"{self._header}.{key}".lstrip("."))
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._asked.add(f"{self._header}.{key}".lstrip("."))
        return super().__contains__(key)


def test_page_names_every_key_that_is_read_and_no_other() -> None:
    everything = tomllib.loads(
        "\n".join(["[store]", "[node]", "[listen]", "[retention]", "[quiet_hours]", "[contact]", BASE])
    )
    (campaign,) = everything["campaign"]
    campaign["contact"] = {}
    campaign["callback"] = {"agents": [{"number": "+919876500001"}], "retries": {"busy": []}}
    asked = set[str]()
    load_settings_table(Asked("", everything, asked), "", Path("/missedd.toml"))
    named = {str(row) for row in ROWS} | set(HEADERS)
    assert asked == named
    assert len({str(row) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", [row for row in ROWS if row.default_value is not None], ids=str)
def test_default_written_out_changes_nothing(row: Row) -> None:
    assert settings_with(row, row.default_value) == settings_with(row)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_example_is_of_its_type_and_changes_something(row: Row) -> None:
    assert isinstance(row.example_value, TYPES[row.type]), row.type
    assert settings_with(row, row.example_value) != settings_with(row)


@pytest.mark.parametrize("row", [row for row in ROWS if row.default == "required"], ids=str)
def test_table_without_a_required_key_is_refused(row: Row) -> None:
    raw = tomllib.loads(BASE)
    _table_of(raw, row).pop(row.key, None)
    with pytest.raises(InvalidConfig) as refused:
        load_settings_table(raw, "", Path("/missedd.toml"))
    assert any(problem.key.endswith(row.key) for problem in refused.value.problems)


def test_page_names_every_secret() -> None:
    names = {name for name in vars(secrets).values() if isinstance(name, str) and _is_variable(name)}
    table = PAGE.partition("## Secrets")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]{8,})`", table)) == names


def _is_variable(text: str) -> bool:
    return re.fullmatch(r"(EXOTEL|MISSEDD)_[A-Z_]+", text) is not None


def settings_with(row: Row, value: object | None = None) -> Settings:
    """What is read where the row's key has this value, beside the least that its table needs.

    Without a value it is what the base has, or what is read where the key is absent.
    """
    raw = tomllib.loads(BASE)
    table = _table_of(raw, row)
    if value is not None:
        table[row.key] = value
    # Warnings are words about the values; the values themselves are compared.
    return replace(load_settings_table(raw, "", Path("/missedd.toml")), warnings=())


def _table_of(raw: dict[str, Any], row: Row) -> dict[str, Any]:
    table = raw
    for part in row.header.split(".") if row.header else ():
        table = table.setdefault(part, {})
        if isinstance(table, list):
            table = table[-1]
    if row.header == "campaign.callback.agents":
        # An agent of its own, by another number than that of the example.
        (campaign,) = raw["campaign"]
        table = {"number": "+919876500003"}
        if row.key in ("holidays", "dates"):
            table["open"] = ["daily 00:00-24:00"]
        campaign["callback"]["agents"] = [table]
    elif str(row) == "campaign.callback.flow":
        del table["agents"]
        table["flow"] = "1"
    elif row.key == "suppress_for":
        table["suppress"] = True
    return table
