"""What the README shows is what there is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from missedd.cli import build_parser
from missedd.core.actions.lifecycle import mermaid_diagram
from missedd.web.api.openapi import build_document
from simulator.scenario.scenario import load_scenario
from simulator.scenario.schema import MEASURE_FILTERS, TIMELINE_EVENTS
from tests.web.api.test_routes import conforms, schemas

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_lifecycle_is_drawn_from_the_table() -> None:
    assert f"```mermaid\n{mermaid_diagram()}\n```" in README


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_every_command_and_file_it_names_exists(page: Path) -> None:
    known, text = build_parser().format_help(), page.read_text("utf-8")
    for command in set(re.findall(r"`missedd ([a-z]+)", text)):
        assert command in known
    for link in set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)):
        assert (page.parent / link).exists(), link


def test_its_scenario_can_be_read(tmp_path: Path) -> None:
    (text,) = (each for each in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[[expect]]" in each)
    file = tmp_path / "readme.toml"
    file.write_text(text, "utf-8")
    assert load_scenario(file).expectations


def test_its_webhooks_are_those_that_are_sent() -> None:
    shown = {
        each["type"]: each for each in map(json.loads, re.findall(r"```json\n(.*?)```", README, re.DOTALL))
    }
    assert set(shown) == set(build_document()["webhooks"])
    assert conforms(shown["missed_call.accepted"], schemas()["MissedCallAccepted"])
    assert conforms(shown["verification.verified"], schemas()["VerificationVerified"])


def test_it_lists_every_deed_and_measure() -> None:
    assert all(f"`{each}`" in README for each in (*TIMELINE_EVENTS, *MEASURE_FILTERS))


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    reasons = README.partition("### Dependencies")[2]
    for requirement in project["dependencies"]:
        assert re.split(r"[<>=]", requirement)[0] in reasons
