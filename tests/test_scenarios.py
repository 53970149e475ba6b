"""Every scenario file is a test; and what their logs say is tested with them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from missedd.log import Event
from simulator.runner.host import SECRETS
from simulator.runner.replay import Outcome, replay
from simulator.scenario import ScenarioMistake, load_scenario

SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*.toml"))


@cache
def outcome_of(path: Path) -> Outcome:
    return replay(load_scenario(path))


def named(path: Path) -> str:
    return path.stem


def test_the_scenarios_are_found() -> None:
    assert len(SCENARIOS) >= 10


@pytest.mark.parametrize("path", SCENARIOS, ids=named)
def test_it_meets_its_expectations(path: Path) -> None:
    outcome = outcome_of(path)
    assert outcome.checked
    assert outcome.passed, "\n\n".join(map(str, outcome.failures))


@pytest.mark.parametrize("path", SCENARIOS, ids=named)
def test_its_log_speaks_the_vocabulary_and_keeps_numbers_and_secrets_to_itself(path: Path) -> None:
    outcome = outcome_of(path)
    lines = [json.loads(line) for line in outcome.log_text.splitlines()]
    assert lines
    assert {line["event"] for line in lines} <= {each.value for each in Event}
    assert not re.search(r"\d{10,12}(?!\d|[a-z])", _without_instants_and_sids(outcome.log_text))
    assert not any(secret in outcome.log_text for secret in SECRETS.texts)


def _without_instants_and_sids(text: str) -> str:
    """CallSids are 32 letters and digits and may hold any run of digits."""
    return re.sub(r"\b[0-9a-z]{32}\b", "", text)


@pytest.mark.parametrize("path", SCENARIOS[:4], ids=named)
def test_the_same_seed_gives_the_same_run(path: Path) -> None:
    assert replay(load_scenario(path)).trace == outcome_of(path).trace


def test_a_failed_expectation_says_what_was_expected_what_happened_and_whose_story_it_is(
    tmp_path: Path,
) -> None:
    text = (SCENARIOS[0].parent / "holiday.toml").read_text("utf-8")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text + '\n[[expect]]\nwhat = "rings"\nperson = "asha"\nexactly = 7\n', "utf-8")
    (failure,) = replay(load_scenario(wrong)).failures
    assert "rings (person asha): exactly 7  [expect[3]]" in failure.expected
    assert failure.happened.startswith("1\n")
    assert "answered; the customer answered" in failure.trace


@pytest.mark.parametrize(
    ("replaced", "by", "complaint"),
    [
        ("seed = 19", 'seed = "x"', "wrong.toml: seed: must be a whole number, not 'x'"),
        ("+05:30\nuntil", "\nuntil", "wrong.toml: start: has no offset"),
        ('ring = "bela"', 'rings = "bela"', "wrong.toml: at[1]: needs exactly one of"),
        ('ring = "bela"', 'ring = "zora"', "wrong.toml: at[1].ring: 'zora' is none of asha, bela"),
        (
            'what = "rings"',
            'what = "bells"',
            "wrong.toml: expect[0].what: 'bells' is none of rings, engaged, ",
        ),
        ("exactly = 1", "exactlyy = 1", "wrong.toml: expect[0]: needs exactly one of"),
        ('flow = "12345"', 'flwo = "12345"', "daemon.campaign[0].callback.flwo"),
        ('time = "+48h"', 'time = "48 hours"', "wrong.toml: at[1].time: must be an offset"),
        ('time = "+48h"', 'time = "25:00"', "wrong.toml: at[1].time: must be an offset"),
        ('time = "+48h"', 'time = "00:01"', "wrong.toml: at[1].time: 00:01 lies before the start"),
        ('time = "+48h"', "time = 2020-01-01T00:00:00Z", "at[1].time: 2020-01-01 00:00:00+00:00 lies before"),
        ('ring = "bela"', "clock_step = -5", "wrong.toml: at[1].clock_step: must be a text"),
        (
            'ring = "bela"',
            "exchange = 3",
            "wrong.toml: at[1].exchange: must be a table, not 3",
        ),
        (
            'ring = "bela"',
            "exchange = { __class__ = 3 }",
            "at[1].exchange.__class__: is not known here; known are account_sid, ",
        ),
        ("seed = 19", "seed = 19\nexchange = 3", "wrong.toml: exchange: must be a table"),
        ("[people]", "[people]\nzora = 3", "wrong.toml: people.zora: must be a table"),
        (
            "[people]",
            "[people]\nzora = { sms = 'failed' }",
            "people.zora.sms: 'failed' is none of delivered, ",
        ),
        ("[people]", "[people]\nzora = { answers = 'no' }", "people.zora.answers: 'no' is none of answer, "),
        ('ring = "bela"', 'ring = "bela"\nshape = "odd"', "at[1].shape: 'odd' is none of passthru, native, "),
        ('ring = "bela"', 'fault = "bad"', "at[1].fault: 'bad' is none of refuse-connection, drop-reply, "),
        ('ring = "bela"', 'fault = "lose"\ntarget = "x"', "at[1].target: 'x' is none of connect, sms, "),
        ('ring = "bela"', 'fault = "lose"\ntarget = "sms"', "cannot strike 'sms', only webhook, report"),
        ('ring = "bela"', 'person = "bela"\nsms = "no"', "at[1].sms: 'no' is none of delivered, operator, "),
        ('ring = "bela"', 'disk = "bad"', "'bad' is none of crash, disk-full, io-error, slow-disk"),
        ('ring = "bela"', 'clear = "bad"', "'bad' is none of all, refuse-connection, "),
        ("[people]", "[people]\nzora = { ring = -1 }", "wrong.toml: people.zora.ring: -1 is no duration"),
        ("[people]", "[people]\nzora = { talks = nan }", "people.zora.talks: nan is no duration"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, replaced: str, by: str, complaint: str) -> None:
    text = (SCENARIOS[0].parent / "holiday.toml").read_text("utf-8")
    assert replaced in text
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace(replaced, by), "utf-8")
    with pytest.raises(ScenarioMistake) as mistake:
        replay(load_scenario(wrong))
    assert complaint in str(mistake.value)
