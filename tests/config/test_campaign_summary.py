"""The summary of a campaign in `missedd check` and the console: hours, what it does, what it does not do."""

from __future__ import annotations

from pathlib import Path

from missedd.config.campaign_summary import describe_campaigns
from missedd.config.loader import load_settings

ROOT = Path(__file__).parents[2]
SITE = '[listen]\npublic_url = "https://calls.example.in"\n[exotel]\naccount_sid = "example1"\n'


def said(text: str, folder: Path) -> list[str]:
    file = folder / "missedd.toml"
    file.write_text(SITE + text, "utf-8")
    return list(describe_campaigns(load_settings(file, {}).policy))


def test_the_example_s_first_campaign() -> None:
    lines = list(describe_campaigns(load_settings(ROOT / "missedd.example.toml", {}).policy))
    assert lines[: lines.index("shop (+918047120002)")] == [
        "admissions (+918047120001)",
        "  open: mon-fri 09:30-18:30, sat 10:00-14:00, Asia/Kolkata time; closed on the holidays of IN-KA "
        "and on 2026-11-09",
        "  repeat calls: no second callback, SMS or webhook within 5m of a call that was served",
        "  calls back: 30s after the call, into flow 12345, ringing the customer for 30s; at most 2 an "
        "hour; tried again after 10m if not answered and after 10m if busy; not later than 15m after the "
        "call",
        '  sends SMS: "Thank you for calling at {time}. Visit https://example.in" as EXAMPL, service',
        "  keeps a lead: for each caller, source missed_call",
        "  sends a webhook: to https://crm.example.in/missed-call, as json",
        '  when closed: callbacks wait for the next opening; sends the SMS "We are closed now and will '
        'call you at {opening}." as EXAMPL, service; everything else is as in business hours',
        "  does not: count votes, subscribe callers, unsubscribe callers, verify numbers",
    ]


def test_a_campaign_that_does_little(tmp_path: Path) -> None:
    assert said('[[campaign]]\nname = "a"\nexophones = ["+918047120001"]\n', tmp_path) == [
        "a (+918047120001)",
        "  open: always",
        "  does not: call back (no [campaign.callback]), send SMS (no [campaign.sms]), keep leads "
        "(no [campaign.lead]), send webhooks (no [campaign.webhook]), count votes, subscribe callers, "
        "unsubscribe callers, verify numbers",
    ]


def test_agents_are_counted_and_not_named_and_keys_are_not_shown(tmp_path: Path) -> None:
    text = """[[campaign]]
name = "a"
exophones = ["+918047120001"]
dedup_window = 0
callback = {agents = ["+919876500001", "+919876500002"], delay = 0, retries = {failed = ["1h"]}}
webhook = {url = "https://hooks.example.in/in?key=1234"}
hours = {open = ["daily 20:00-02:00", "sun,tue-wed 00:00-24:00"]}
after_hours = {callback = "skip"}
"""
    lines = said(text, tmp_path)
    assert "  open: daily 20:00-02:00, tue-wed,sun 00:00-24:00, Asia/Kolkata time" in lines
    assert "  repeat calls: every call is served, because dedup_window is 0" in lines
    assert (
        "  calls back: at once, with 2 agents in turn, ringing the agent first for 30s; at most 2 an hour; "
        "tried again after 1h if failed; not later than 15m after the call"
    ) in lines
    assert "  sends a webhook: to https://hooks.example.in/in, as json" in lines
    assert "  when closed: no callback is made; everything else is as in business hours" in lines
