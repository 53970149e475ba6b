"""The configuration as a whole: all settings, defaults, where the store is, what each command needs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from missedd.config.loader import ListenAddress, load_settings
from missedd.core.policy import (
    AfterHoursCallback,
    MessageClass,
    Retries,
    UnsubscribePolicy,
    VerifyPolicy,
    WebhookFormat,
    WebhookPolicy,
)
from tests.config.samples import CALLBACK, CAMPAIGN, HOURS, SITE, problems_of, read

ROOT = Path(__file__).parents[2]

WHOLE = """
timezone = "Asia/Kolkata"
[store]
path = "missedd.db"
[listen]
public = "127.0.0.1:8080"
private = "127.0.0.1:8081"
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
api_base = "https://api.in.exotel.com"
calls_per_minute = 200
sms_per_minute = 200
[[campaign]]
name = "admissions"
exophones = ["+918047120001"]
dedup_window = "5m"
[campaign.callback]
delay = "30s"
flow = "12345"
max_per_hour = 2
ring_timeout = "30s"
give_up_after = "15m"
retries = []
[campaign.sms]
sender = "EXAMPL"
body = "Thank you for calling. Visit https://example.in"
dlt_entity_id = "1101000000000000000"
dlt_template_id = "1107000000000000001"
message_class = "service"
[campaign.lead]
source = "missed_call"
[campaign.webhook]
url = "https://crm.example.in/missed-call"
format = "form"
[campaign.hours]
open = ["mon-fri 09:30-18:30", "sat 10:00-14:00"]
holidays = "IN-KA"
dates = ["2026-11-09"]
[campaign.after_hours]
callback = "defer"
[campaign.after_hours.sms]
body = "We are closed now and will call you at 09:30."
dlt_template_id = "1107000000000000002"
[[campaign]]
name = "vote-asha"
exophones = ["+918047120010"]
[campaign.vote]
poll = "singer"
option = "Asha"
[[poll]]
name = "singer"
votes_per_number = 1
keep = "first"
opens_at = 2026-11-23T20:00:00+05:30
closes_at = 2026-11-23T22:00:00+05:30
[campaign.subscribe]
list = "weather"
purpose = "daily weather alerts"
[campaign.unsubscribe]
list = "weather"
[campaign.verify]
ttl = "5m"
"""


def test_names_of_the_private_listener(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("[listen]", '[listen]\nprivate_hosts = ["Missedd.Example.In.", "203.0.113.7"]')
    assert read(text, tmp_path).listen.private_hosts == ("missedd.example.in", "203.0.113.7")
    assert read(CAMPAIGN, tmp_path).listen.private_hosts == ()


def test_the_whole_contract_parses(tmp_path: Path) -> None:
    settings = read(WHOLE, tmp_path)
    admissions, vote = settings.policy.campaigns
    assert admissions.exophones == ("+918047120001",)
    assert admissions.dedup_window == timedelta(minutes=5)
    callback, sms = admissions.callback, admissions.sms
    assert callback is not None
    assert (callback.delay, callback.flow, callback.agents) == (timedelta(seconds=30), "12345", ())
    assert (callback.max_per_hour, callback.retries, callback.first) == (2, Retries(), "customer")
    assert callback.message_class is MessageClass.SERVICE
    assert sms is not None
    assert (sms.sender, sms.give_up_after) == ("EXAMPL", timedelta(hours=24))
    assert admissions.lead_source == "missed_call"
    assert admissions.webhook == WebhookPolicy("https://crm.example.in/missed-call", WebhookFormat.FORM)
    assert admissions.hours is not None
    assert admissions.hours.holidays.region == "IN-KA"
    assert admissions.hours.holidays.dates == {date(2026, 11, 9)}
    assert [sorted(each.weekdays) for each in admissions.hours.windows] == [[0, 1, 2, 3, 4], [5]]
    assert admissions.after_hours.callback is AfterHoursCallback.DEFER
    closed = admissions.after_hours.sms
    assert closed is not None
    assert (closed.sender, closed.dlt_entity_id) == (sms.sender, sms.dlt_entity_id)
    assert closed.dlt_template_id == "1107000000000000002"
    assert vote.vote is not None
    assert (vote.vote.poll, vote.vote.option) == ("singer", "Asha")
    assert vote.subscribe is not None
    assert (vote.subscribe.list, vote.subscribe.purpose) == ("weather", "daily weather alerts")
    assert vote.unsubscribe == UnsubscribePolicy("weather")
    assert vote.verify == VerifyPolicy(timedelta(minutes=5), 5)
    poll = settings.policy.poll("singer")
    assert poll is not None
    assert (poll.votes_per_number, poll.keep) == (1, "first")
    assert poll.opens_at == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert settings.policy.poll("dancer") is None
    assert (settings.policy.promotional_hours.start, settings.policy.promotional_hours.end) == (
        time(10),
        time(21),
    )
    assert settings.listen.private == ListenAddress("127.0.0.1", 8081)
    assert settings.exotel.api_base == "https://api.in.exotel.com"
    assert settings.timezone == settings.policy.timezone == "Asia/Kolkata"
    assert settings.store == tmp_path / "missedd.db"


def test_the_example_warns_only_of_what_is_not_served_yet(tmp_path: Path) -> None:
    settings = load_settings(ROOT / "missedd.example.toml", {"STATE_DIRECTORY": str(tmp_path)})
    assert all("is recorded with each call" in each for each in settings.warnings)
    assert len(settings.policy.campaigns) == 7


def test_defaults(tmp_path: Path) -> None:
    settings = read(CALLBACK + "[campaign.lead]\n[campaign.verify]\n", tmp_path)
    campaign = settings.policy.campaigns[0]
    callback = campaign.callback
    assert campaign.dedup_window == timedelta(minutes=5)
    assert callback is not None
    assert (callback.delay, callback.ring_timeout) == (timedelta(seconds=30), timedelta(seconds=30))
    assert (callback.max_per_hour, callback.give_up_after) == (2, timedelta(minutes=15))
    assert (callback.retries, callback.time_limit) == (Retries(), timedelta(hours=1))
    assert (callback.calls_at_once, callback.agent_retry) == (None, timedelta(minutes=2))
    assert (campaign.lead_source, campaign.verify) == ("missed_call", VerifyPolicy(timedelta(minutes=5), 5))
    assert (campaign.hours, campaign.sms, campaign.webhook, campaign.vote) == (None, None, None, None)
    assert campaign.after_hours.callback is AfterHoursCallback.DEFER
    assert settings.listen.public == ListenAddress("127.0.0.1", 8080)
    assert (settings.exotel.calls_per_minute, settings.exotel.sms_per_minute) == (200, 200)
    assert settings.exotel.catch_up


def test_the_store_is_beside_the_file_or_in_the_state_directory(tmp_path: Path) -> None:
    text = CAMPAIGN + '[store]\npath = "deep/calls.db"\n'
    assert read(text, tmp_path).store == tmp_path / "deep/calls.db"
    assert read(text, tmp_path, STATE_DIRECTORY="/var/lib/missedd").store == Path(
        "/var/lib/missedd/deep/calls.db"
    )
    absolute = CAMPAIGN + '[store]\npath = "/srv/calls.db"\n'
    assert read(absolute, tmp_path, STATE_DIRECTORY="/var/lib/missedd").store == Path("/srv/calls.db")


def test_endpoints(tmp_path: Path) -> None:
    text = '[listen]\npublic = "[::1]:0"\nprivate = "localhost:0"\n[exotel]\naccount_sid = "x"\n'
    listen = read(text, tmp_path).listen
    assert listen.public == ListenAddress("::1", 0)
    assert (str(listen.public), str(listen.private)) == ("[::1]:0", "localhost:0")
    assert listen.public.is_loopback
    assert listen.private.is_loopback
    assert not ListenAddress("10.0.0.1", 80).is_loopback
    # Without public_url, the URL is http to the port that was really bound.
    assert listen.public_url == "http://[::1]:0"
    assert listen.public_url_for(ListenAddress("::1", 4711)) == "http://[::1]:4711"


def test_a_public_url_that_was_said_stays(tmp_path: Path) -> None:
    listen = read(CAMPAIGN.replace("example.in", "example.in/missedd/"), tmp_path).listen
    assert listen.public_url == "https://calls.example.in/missedd"
    assert listen.public_url_for(ListenAddress("127.0.0.1", 1)) == "https://calls.example.in/missedd"


def test_a_run_of_listed_holidays_that_never_ends(tmp_path: Path) -> None:
    sundays = [date(2026, 11, 1) + timedelta(weeks=n) for n in range(10)]
    text = HOURS.replace("daily", "sun") + f"dates = [{', '.join(map(str, sundays))}]\n"
    (problem,) = problems_of(text, tmp_path)
    assert problem.key == 'campaign "a": hours.open'
    assert "does not open within 60 days after 2026-11-01" in problem.reason


def test_catch_up_can_be_switched_off(tmp_path: Path) -> None:
    assert not read(SITE + "catch_up = false\n", tmp_path).exotel.catch_up
