"""The vendor's five rows of troubleshooting: `missedd check` or `why` names cause and solution of each.

docs/troubleshooting.md has a row for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from missedd.cli import main
from tests.store.database import CALLER, NOON, FilledDatabase

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
SITE = """[listen]
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
[[campaign]]
name = "admissions"
exophones = ["+918047120001"]
"""
CALLBACK = '[campaign.callback]\nflow = "1"\n'
SMS = """[campaign.sms]
sender = "EXAMPL"
body = "Thank you."
dlt_entity_id = "1101000000000000000"
dlt_template_id = "1107000000000000001"
"""


@pytest.mark.parametrize(
    ("symptom", "remedy"),
    [
        ("No callback was triggered", "with `flow` or `agents`"),
        ("Several callbacks for one missed call", '`dedup_window = "5m"`'),
        ("SMS not delivered", "`dlt_template_id`"),
        ("Webhook not received", "`missedd resend`"),
        ("The customer does not answer the callback", '`delay` to `"15s"` to `"30s"`'),
    ],
)
def test_the_page_has_each_symptom_with_its_remedy(symptom: str, remedy: str) -> None:
    rows = re.findall(r"^\| (.+?) \| .* \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert remedy in dict(rows)[symptom]


class Desk:
    """An operator's: a configuration, a database, and what the commands say of them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self.db = FilledDatabase(folder / "missedd.db")

    def says(self, command: str, config: str, *words: str) -> str:
        file = self._folder / "missedd.toml"
        file.write_text(SITE + config, "utf-8")
        assert main([command, "--config", str(file), *words]) == 0
        return self._capsys.readouterr().out

    def attempt(self, action_id: int, **values: object) -> None:
        row: dict[str, object] = {
            "action_id": action_id,
            "number": 1,
            "started_at": NOON + timedelta(seconds=30),
            "finished_at": NOON + timedelta(seconds=31),
            "result": "accepted",
        }
        self.db.put("attempts", **row | values)


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    monkeypatch.setenv("EXOTEL_API_KEY", "key")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "token")
    monkeypatch.setenv("MISSEDD_WEBHOOK_TOKEN", "abcdefghijklmnop")
    monkeypatch.setenv("MISSEDD_WEBHOOK_SECRET", "whsec_c2VjcmV0LWZvci10ZXN0cy1vbmx5LTEyMw==")
    desk = Desk(tmp_path, capsys)
    yield desk
    desk.db.close()


def test_no_callback_triggered(desk: Desk) -> None:
    desk.db.done(desk.db.call("c1"), "lead", "recorded", reason="recorded-at-once")
    lead = "[campaign.lead]\n"
    assert "does not: call back (no [campaign.callback])," in desk.says("check", lead)
    said = desk.says("why", lead, CALLER)
    assert (
        'What to do: No callback was triggered, because campaign "admissions" does not call back: it has no '
        "[campaign.callback]; add that table, with a flow or agents, if you want callbacks.\n"
    ) in said + "\n"
    assert "What to do" not in desk.says("why", lead + CALLBACK, CALLER)


def test_multiple_callbacks_for_one_missed_call(desk: Desk) -> None:
    for number in (1, 2):
        sid, at = f"c{number}", NOON + timedelta(minutes=number)
        desk.db.action(desk.db.call(sid, at, reason="no-dedup-window"))
    config = "dedup_window = 0\n" + CALLBACK
    checked = desk.says("check", config)
    assert (
        'warning: campaign "admissions": dedup_window: is 0s, so a caller who calls several times gets'
        in checked
    )
    assert "repeat calls: every call is served, because dedup_window is 0" in checked
    said = desk.says("why", config, CALLER)
    assert said.count("the campaign has no dedup window, so every call from a caller is served") == 2
    assert 'with dedup_window = "5m" calls in quick succession count as one' in said
    assert "no other call from this caller" not in said


def test_sms_not_delivered(desk: Desk) -> None:
    sms = desk.db.done(desk.db.call("c1"), "sms", "failed", reason="sms-misconfigured", code="23182")
    desk.attempt(sms)
    checked = desk.says("check", SMS.partition("dlt_")[0])
    assert "sms: without both DLT ids, operators in India drop it" in checked
    said = desk.says("why", SMS, CALLER)
    assert "Code 23182: the DLT registry has no such template." in said
    assert 'Register the text of campaign "admissions" as a template on the operators\' DLT portal' in said


def test_sms_that_was_not_even_sent(desk: Desk) -> None:
    desk.db.done(desk.db.call("c1"), "sms", "refused", reason="template-mismatch")
    assert "as a template on the operators' DLT portal" in desk.says("why", SMS, CALLER)


def test_sms_without_ids_or_to_somebody_who_wants_none(desk: Desk) -> None:
    call, bare = desk.db.call("c1"), SMS.partition("dlt_")[0]
    desk.db.done(call, "sms", "failed", reason="sms-failed", code="23005")
    assert "What to do: The SMS" not in desk.says("why", bare, CALLER), "the code says why"
    desk.db.done(call, "sms", "failed", reason="sms-failed")
    said = desk.says("why", bare, CALLER)
    assert 'The SMS of campaign "admissions" has no DLT ids. Register the text as a template' in said


def test_webhook_not_received(desk: Desk) -> None:
    webhook = desk.db.action(desk.db.call("c1"), "webhook", reason="endpoint-failed")
    cause = "https://crm.example.in/missed-call: its name was not found"
    desk.attempt(webhook, result="refused", reason="endpoint-failed", message=cause)
    config = '[campaign.webhook]\nurl = "https://crm.example.in/missed-call?key=1"\n'
    checked = desk.says("check", config)
    assert "sends a webhook: to https://crm.example.in/missed-call, as json" in checked
    said = desk.says("why", config, CALLER)
    assert f"({cause})" in said
    assert (
        "What to do: The webhook was not received. Verify that https://crm.example.in/missed-call is the "
        "right address, and that its server is up and answers with a 2xx within 15 seconds; missedd will "
        "send the webhook again by itself."
    ) in said
    assert "key=1" not in checked + said


def test_customer_does_not_answer_the_callback(desk: Desk) -> None:
    callback = desk.db.done(desk.db.call("c1"), "callback", "no-answer", reason="customer-no-answer")
    desk.attempt(callback, started_at=NOON + timedelta(minutes=10))
    slow = CALLBACK + 'delay = "10m"\n'
    assert 'campaign "admissions": callback.delay: is 10m: the longer the delay, the fewer' in desk.says(
        "check", slow
    )
    assert (
        "What to do: The customer did not answer a callback that came 10 minutes after the call. The "
        'callback delay of campaign "admissions" is long; with delay = "15s" to "30s" more people answer.'
    ) in desk.says("why", slow, CALLER)
    assert "What to do" not in desk.says("why", CALLBACK, CALLER), "it came in time, and that is no fault"
