"""Every value of a scenario file is checked before anything is played, and what is wrong is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.harness.scenario_check import check_scenario
from simulator.scenario.loader import load_scenario
from simulator.scenario.scenario import Scenario, ScenarioError

WELL = """
about = "All that a scenario may say."
start = 2026-11-23T11:00:00+05:30
until = "2h"
seed = 19
[daemon.exotel]
calls_per_minute = 100
[[daemon.campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345" }
[exchange]
api_latency_s = 0.5
[people]
asha = { number = "+919876543210", answers = ["no-answer", "answer"] }
bela = { sms = "dnd", ring = 3, talks = "1m", dnd = true, lines = 2 }
[[at]]
time = "+1m"
ring = ["asha", "bela"]
exophone = "+918047120001"
times = 2
every = "20m"
[[at]]
time = "+30m"
api = "GET"
path = "/api/v1/calls?number={asha}"
keep = "calls"
[[at]]
time = "11:45"
fault = "lose"
target = "webhook"
[[at]]
time = "+50m"
crowd = 3
[[at]]
time = "+55m"
ring = "caller-3"
[[expect]]
what = "verdicts"
verdict = "accepted"
at_least = 1
[[expect]]
what = "actions"
kind = "callback"
outcome = "answered"
reason = "customer-answered"
campaign = "shop"
between = [1, 9]
[[expect]]
what = "api"
kept = "calls"
path = "body.items"
never = true
[[expect]]
what = "rings"
person = "asha"
after = "+10m"
before = "13:00"
exactly = 1
"""


def read(folder: Path, text: str) -> Scenario:
    file = folder / "file.toml"
    file.write_text(text, "utf-8")
    scenario = load_scenario(file)
    check_scenario(scenario)
    return scenario


def test_a_file_without_a_mistake(tmp_path: Path) -> None:
    scenario = read(tmp_path, WELL)
    assert (len(scenario.timeline), len(scenario.expectations)) == (5, 4)
    assert scenario.people[1].traits["talks_s"] == 60


RING = 'ring = "caller-3"'
"""A deed that others may stand in for."""

VERDICTS = 'what = "verdicts"\nverdict = "accepted"\nat_least = 1'
"""An expectation likewise."""


@pytest.mark.parametrize(
    ("replaced", "by", "complaint"),
    [
        # The file itself.
        ("seed = 19", 'seed = "x"', "seed: must be a whole number, not 'x'"),
        ("seed = 19", "", "seed: is required"),
        ("+05:30\nuntil", "\nuntil", "start: has no offset"),
        ('until = "2h"', 'until = "soon"', "until: 'soon' is no duration"),
        ('about = "', 'abuot = "', "abuot: is not known here; known are about, start, until, seed, "),
        ('about = "', 'abuot = "', "did you mean 'about'?"),
        # The daemon's configuration.
        ('flow = "12345"', 'flwo = "12345"', 'daemon.campaign "shop": callback.flwo'),
        ("[daemon.exotel]\ncalls_per_minute = 100", "[daemon]\nexotel = 3", "daemon.exotel: must be a table"),
        # The exchange.
        ("api_latency_s = 0.5", "api_latency_s = -1", "exchange.api_latency_s: must be a number, at least 0"),
        (
            "api_latency_s = 0.5",
            "latency = 1",
            "exchange.latency: is not known here; known are account_sid, ",
        ),
        ("api_latency_s = 0.5", "sms_overload_status = 200", "exchange.sms_overload_status: 200 is none of"),
        ("api_latency_s = 0.5", "templates = [{ text = 'a' }]", "templates: needs entity_id and template_id"),
        # People.
        ("[people]", "[people]\nzora = 3", "people.zora: must be a table, not 3"),
        ('sms = "dnd"', 'sms = "dns"', "people.bela.sms: 'dns' is none of delivered, "),
        ("ring = 3", "ring = -1", "people.bela.ring: -1 is no duration"),
        ('talks = "1m"', "talks = nan", "people.bela.talks: nan is no duration"),
        ("dnd = true", 'dnd = "yes"', "people.bela.dnd: must be true or false, not 'yes'"),
        ("lines = 2", "lines = 0", "people.bela.lines: must be a whole number, at least 1, not 0"),
        ("lines = 2", "line = 2", "people.bela.line: is not known here; known are number, "),
        ('"no-answer", "answer"]', '"no-anwser"]', "did you mean 'no-answer'?"),
        ('["no-answer", "answer"]', "[]", "people.asha.answers: must be one of answer, "),
        ("+919876543210", "98765", "people.asha.number: must be a telephone number like"),
        # Times.
        ('time = "+1m"', 'time = "48 hours"', "at[0].time: must be an offset like '+90s'"),
        ('time = "+1m"', 'time = "25:00"', "at[0].time: must be an offset like '+90s'"),
        ('time = "+1m"', 'time = "00:01"', "at[0].time: 00:01 lies before the start"),
        ('time = "+1m"', "time = 2020-01-01T00:00:00Z", "at[0].time: 2020-01-01 00:00:00+00:00 lies before"),
        ('time = "+1m"', 'time = "+2h1s"', "at[0].time: lies after the end (`until`): it would never happen"),
        ('every = "20m"', 'every = "2h"', "at[0].times: goes on after the end (`until`)"),
        ("times = 2\n", "", "at[0].every: says nothing without `times`"),
        ("crowd = 3", 'crowd = 3\nwithin = "2h"', "at[3].within: goes on after the end (`until`)"),
        # Deeds.
        (RING, 'rings = "asha"', "at[4]: needs exactly one of ring, crowd, "),
        (RING, 'ring = "caller-6"', "at[4].ring: 'caller-6' is none of asha, bela, caller-3, "),
        ('["asha", "bela"]', '["asha", "bella"]', "at[0].ring: 'bella' is none of asha, bela; did you mean"),
        (RING, f'{RING}\nshape = "odd"', "at[4].shape: 'odd' is none of passthru, native, "),
        (RING, f"{RING}\nwith_date = 1", "at[4].with_date: must be true or false, not 1"),
        (
            'exophone = "+918047120001"',
            'exophone = "+918047120002"',
            "at[0].exophone: '+918047120002' is none",
        ),
        (
            'exophone = "+918047120001"',
            'exophone = "shop"',
            "at[0].exophone: 'shop' is none of +918047120001",
        ),
        ('fault = "lose"', 'fault = "loose"', "at[2].fault: 'loose' is none of refuse-connection, "),
        ('target = "webhook"', 'target = "sms"', "at[2]: 'lose' cannot strike 'sms', only webhook, report"),
        ('target = "webhook"', 'target = "x"', "at[2].target: 'x' is none of connect, sms, "),
        ('target = "webhook"', 'when = "then"', "at[2].when: 'then' is none of before, after"),
        ('target = "webhook"', "probability = 2", "at[2].probability: must be a number from 0 to 1, not 2"),
        (RING, 'disk = "bad"', "at[4].disk: 'bad' is none of crash, disk-full, io-error, slow-disk"),
        (RING, 'disk = "disk-full"\nwhen = "after"', "at[4]: 'disk-full' cannot come after the commit"),
        (RING, 'clear = "loose"', "at[4].clear: 'loose' is none of all, refuse-connection, "),
        (RING, 'daemon = "kill"', "at[4].daemon: 'kill' is none of crash, restart, stop, start"),
        (RING, "clock_step = -5", "at[4].clock_step: must be a text like '+1h' or '-90s', not -5"),
        (RING, 'clock_step = "an hour"', "at[4].clock_step: 'an hour' is no duration"),
        (RING, "exchange = 3", "at[4].exchange: must be a table, not 3"),
        (RING, "exchange = { __class__ = 3 }", "at[4].exchange.__class__: is not known here"),
        (
            RING,
            'application = "gone"',
            "at[4].application: 'gone' is none of up, down, unresolvable, unreachable, bad-certificate, "
            "hangs, drops",
        ),
        (RING, "application = 42", "at[4].application: must be a whole number, at least 100, at most 599"),
        (RING, 'person = "bela"\nsms = "no"', "at[4].sms: 'no' is none of delivered, "),
        (RING, 'person = "bela"\nlines = "two"', "at[4].lines: must be a whole number, at least 1"),
        (RING, 'person = "bela"', "at[4]: changes nothing; it needs one of answers, sms, "),
        (RING, 'suppress = "+919876543210"', "at[4].suppress: '+919876543210' is none of asha, bela, "),
        (RING, 'pause = "shp"', "at[4].pause: 'shp' is none of shop; did you mean 'shop'?"),
        (RING, 'pause = "shop"\nfor = "a while"', "at[4].for: 'a while' is no duration"),
        # Requests to the API.
        ('path = "/api/v1/calls?number={asha}"', "", "at[1].path: is required"),
        ('api = "GET"', 'api = "FETCH"', "at[1].api: 'FETCH' is none of GET, POST, "),
        ('api = "GET"', 'api = "PATCH"', "at[1].path: the API has no PATCH /api/v1/calls"),
        ("{asha}", "{ashaa}", "at[1]: {ashaa}: 'ashaa' is none of asha, bela; did you mean 'asha'?"),
        ("?number={asha}", "?nubmer={asha}", "at[1].path: nubmer: 'nubmer' is none of "),
        ("?number={asha}", "?campaign=shp", "at[1].path: campaign: 'shp' is none of shop"),
        ("/calls?", "/clals?", "at[1].path: the API has no GET /api/v1/clals; did you mean '/api/v1/calls'?"),
        ('keep = "calls"', "keep = 3", "at[1].keep: must be a text in quotes, not 3"),
        ('keep = "calls"', "status = 20", "at[1].status: must be a whole number, at least 100"),
        # Expectations, above all those that would hold whatever happens.
        (VERDICTS, 'what = "bells"\nnever = true', "expect[0].what: 'bells' is none of rings, "),
        (VERDICTS, 'what = "verdicts"\nexactlyy = 1', "expect[0]: needs exactly one of exactly, "),
        (VERDICTS, 'what = "calls"\nnever = true\nexactly = 1', "expect[0]: needs exactly one of exactly, "),
        (VERDICTS, 'what = "calls"\nnever = false', "expect[0].never: must be true, not False"),
        (
            VERDICTS,
            'what = "calls"\nequals = 3',
            "expect[0].equals: is nothing for calls, which takes exactly",
        ),
        (VERDICTS, 'what = "calls"\nexactly = "3"', "expect[0].exactly: must be a whole number, at least 0"),
        (VERDICTS, 'what = "calls"\nat_least = 0', "expect[0].at_least: must be a whole number, at least 1"),
        (VERDICTS, 'what = "calls"\nbetween = [5, 2]', "expect[0].between: the lower number comes first"),
        (VERDICTS, 'what = "calls"\nbetween = 2', "expect[0].between: must be a list of two numbers, not 2"),
        (VERDICTS, 'what = "calls"\nperson = "zora"\nnever = true', "expect[0].person: 'zora' is none of"),
        (VERDICTS, 'what = "calls"\nafter = "+2h"\nnever = true', "expect[0].after: lies at the end"),
        (
            VERDICTS,
            'what = "calls"\nafter = "+1h"\nbefore = "+1h"\nnever = true',
            "expect[0].before: lies before everything that is asked for",
        ),
        (VERDICTS, 'what = "rings"\nleg = 3\nnever = true', "expect[0].leg: 3 is none of 1, 2"),
        (VERDICTS, 'what = "rings"\nanswered = 1\nnever = true', "expect[0].answered: must be true or false"),
        (
            VERDICTS,
            'what = "texts"\nvia = "sms"\nnever = true',
            "expect[0].via: 'sms' is none of api, applet",
        ),
        (
            VERDICTS,
            VERDICTS.replace("accepted", "acepted"),
            "expect[0].verdict: 'acepted' is none of accepted, ",
        ),
        (VERDICTS, 'what = "requests"\ntarget = "any"\nnever = true', "expect[0].target: 'any' is none of"),
        (VERDICTS, 'what = "requests"\nfault = "lose"\nnever = true', "expect[0].fault: 'lose' is none of"),
        (VERDICTS, 'what = "requests"\nstatus = 7\nnever = true', "expect[0].status: must be a whole number"),
        (VERDICTS, 'what = "log"\nevent = "daemon.strated"\nnever = true', "did you mean 'daemon.started'?"),
        (VERDICTS, 'what = "log"\nnever = true', "expect[0].event: is required"),
        (
            VERDICTS,
            'what = "webhooks"\ntype = "missed_call"\nnever = true',
            "expect[0].type: 'missed_call' is",
        ),
        ('kind = "callback"', 'kind = "calback"', "expect[1].kind: 'calback' is none of lead, "),
        (
            'outcome = "answered"',
            'outcome = "anwsered"',
            "expect[1].outcome: 'anwsered' is none of answered, ",
        ),
        ('outcome = "answered"', 'state = "helt"', "expect[1].state: 'helt' is none of planned, held, "),
        ('kind = "callback"', 'kind = "lead"', "expect[1].outcome: no lead ever ends as answered"),
        ('kind = "callback"', 'state = "held"', "expect[1].state: has no outcome yet"),
        ('"customer-answered"', '"customer-answerd"', "did you mean 'customer-answered'?"),
        ('campaign = "shop"', 'campaign = "shp"', "expect[1].campaign: 'shp' is none of shop"),
        ('kept = "calls"', 'kept = "call"', "expect[2].kept: 'call' is none of calls; did you mean 'calls'?"),
        ('kept = "calls"', 'get = "/api/v1/lead"', "expect[2].get: the API has no GET /api/v1/lead; did you"),
        ('kept = "calls"', 'get = "/api/v1/leads?number={zora}"', "expect[2].get: {zora}: 'zora' is none of"),
        ('kept = "calls"\n', "", "expect[2]: needs either get or kept"),
        ("exactly = 1", "exactly = 1\nbecuase = 'x'", "expect[3].becuase: is not known here"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, replaced: str, by: str, complaint: str) -> None:
    assert WELL.count(replaced) >= 1
    with pytest.raises(ScenarioError) as mistake:
        read(tmp_path, WELL.replace(replaced, by, 1))
    assert complaint in str(mistake.value)
    assert all("file.toml: " in line for line in str(mistake.value).splitlines())


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = WELL.replace("lines = 2", "lines = 0").replace('fault = "lose"', 'fault = "loose"')
    with pytest.raises(ScenarioError) as mistake:
        read(tmp_path, text.replace("between = [1, 9]", "never = false"))
    keys = [line.split(": ")[1] for line in str(mistake.value).splitlines()]
    assert keys == ["people.bela.lines", "at[2].fault", "expect[1].never"]


def test_a_call_may_lead_nowhere_on_purpose(tmp_path: Path) -> None:
    """A number that is far from all of the configuration's, or whose verdict is what one looks for."""
    read(tmp_path, WELL.replace('exophone = "+918047120001"', 'exophone = "+918047129999"'))
    near = WELL.replace('exophone = "+918047120001"', 'exophone = "+918047120002"')
    read(tmp_path, near.replace('verdict = "accepted"', 'verdict = "unknown-exophone"'))


@pytest.mark.parametrize("content", [b"x = [", b"\xff\xfe", None])
def test_what_is_no_file_of_toml(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "file.toml"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(ScenarioError, match=r"file\.toml: (not TOML|cannot be read): "):
        load_scenario(file)
