"""`missedd check` says what each text costs, and refuses one that differs from its template."""

from __future__ import annotations

from pathlib import Path

import pytest

from missedd.cli import main

BASE = """
[listen]
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
[campaign.hours]
open = "daily 09:30-18:30"
[campaign.sms]
sender = "EXAMPL"
body = "You rang at {time}."
dlt_entity_id = "1"
dlt_template_id = "2"
dlt_template = "You rang at {#var#}."
[campaign.after_hours.sms]
body = "We’re closed until {opening}."
dlt_template_id = "3"
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXOTEL_API_KEY", "key")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "token")
    monkeypatch.setenv("MISSEDD_WEBHOOK_TOKEN", "abcdefghijklmnop")


def check(text: str, folder: Path) -> int:
    file = folder / "missedd.toml"
    file.write_text(text, "utf-8")
    return main(["check", "--config", str(file)])


def test_it_says_what_each_text_comes_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(BASE, tmp_path) == 0
    out = capsys.readouterr().out
    assert "campaign[0].sms.body: plain (GSM-7), at most 18 characters and 1 SMS; as registered\n" in out
    assert (
        "campaign[0].after_hours.sms.body: unicode (UCS-2) because of '’' at character 3, at most 36 "
        "characters and 1 SMS; not compared with a template\n"
    ) in out
    assert "warning: campaign[0].after_hours.sms: without dlt_template" in out


def test_a_text_that_parts_from_its_template_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(BASE.replace("You rang at {#", "You rang: {#"), tmp_path) == 78
    err = capsys.readouterr().err
    assert (
        "campaign[0].sms.body: parts from dlt_template: it goes on with ' at {time}.' (character 9), "
        "the template goes on with ': {#var#}.' (character 9)"
    ) in err
