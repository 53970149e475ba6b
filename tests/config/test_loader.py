"""The configuration contract: what parses, what each mistake is called, and all mistakes at once."""

from __future__ import annotations

import textwrap
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from missedd.config.hours import parse_window
from missedd.config.loader import (
    ConfigProblem,
    InvalidConfig,
    ListenAddress,
    Settings,
    load_config,
    load_settings,
)
from missedd.config.values import format_duration, parse_duration
from missedd.core.agent_rotation import Agent
from missedd.core.contact_countries import ANY_COUNTRY
from missedd.core.policy import (
    AfterHoursCallback,
    MessageClass,
    Retries,
    UnsubscribePolicy,
    VerifyPolicy,
    WebhookFormat,
    WebhookPolicy,
)
from missedd.security.password import hash_password

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

SITE = """
[listen]
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
"""
CAMPAIGN = SITE + '[[campaign]]\nname = "a"\nexophones = ["+918047120001"]\n'
ENTITY, TEMPLATE, OTHER_TEMPLATE = "1101000000000000000", "1107000000000000002", "1107000000000000003"
CALLBACK = CAMPAIGN + '[campaign.callback]\nflow = "1"\n'
SMS = (
    CAMPAIGN
    + '[campaign.sms]\nsender = "EXAMPL"\nbody = "Hi"\n'
    + f'dlt_entity_id = "{ENTITY}"\ndlt_template_id = "{TEMPLATE}"\n'
)
HOURS = CAMPAIGN + '[campaign.hours]\nopen = ["daily 09:00-18:00"]\n'
OTHER = '[[campaign]]\nname = "b"\nexophones = ["+918047120002"]\n'


def read(text: str, folder: Path, **environ: str) -> Settings:
    file = folder / "missedd.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ)


def problems_of(text: str, folder: Path) -> tuple[ConfigProblem, ...]:
    with pytest.raises(InvalidConfig) as caught:
        read(text, folder)
    return caught.value.problems


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
    assert settings.store_path == tmp_path / "missedd.db"


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


# What is allowed beyond the example.


def test_agents_are_normalised_and_rung_first(tmp_path: Path) -> None:
    text = CAMPAIGN + '[campaign.callback]\nagents = ["098765 00001", "+91-98765-00002"]\n'
    callback = read(text, tmp_path).policy.campaigns[0].callback
    assert callback is not None
    assert callback.agents == (Agent("+919876500001"), Agent("+919876500002"))
    assert callback.first == "agent"
    callback = read(text + 'first = "customer"\n', tmp_path).policy.campaigns[0].callback
    assert callback is not None
    assert callback.first == "customer"


def test_agents_may_have_hours_of_their_own(tmp_path: Path) -> None:
    text = (
        CAMPAIGN
        + """[campaign.callback]
agents = [
    "+919876500001",
    {number = "098765 00002", open = ["mon-fri 09:00-13:00", "sat 10:00-12:00"], dates = ["2026-11-25"]},
    {number = "+919876500003", open = "daily 20:00-02:00"},
    {number = "+919876500004"},
]
"""
    )
    callback = read(text, tmp_path).policy.campaigns[0].callback
    assert callback is not None
    first, second, third, fourth = callback.agents
    assert (first.hours, fourth.hours) == (None, None)
    assert second.number == "+919876500002"
    assert second.hours is not None
    assert second.hours.windows == (parse_window("mon-fri 09:00-13:00"), parse_window("sat 10:00-12:00"))
    assert date(2026, 11, 25) in second.hours.holidays
    assert third.hours is not None
    assert third.hours.windows == (parse_window("daily 20:00-02:00"),)
    assert third.hours.timezone == "Asia/Kolkata"


def test_a_flow_may_be_a_number_and_the_window_nothing(tmp_path: Path) -> None:
    text = CAMPAIGN + "dedup_window = 0\n[campaign.callback]\nflow = 12345\ndelay = 0\n"
    campaign = read(text, tmp_path).policy.campaigns[0]
    assert campaign.callback is not None
    assert campaign.callback.flow == "12345"
    assert campaign.dedup_window == timedelta(0)
    assert campaign.callback.delay == timedelta(0)


def test_retries_are_a_list_or_a_list_for_each_outcome(tmp_path: Path) -> None:
    def retries(value: str) -> Retries:
        callback = read(CALLBACK + f"retries = {value}\n", tmp_path).policy.campaigns[0].callback
        assert callback is not None
        return callback.retries

    five, hour = timedelta(minutes=5), timedelta(hours=1)
    assert retries('["5m", "1h"]') == Retries(no_answer=(five, hour), busy=(five, hour))
    assert retries('{no-answer = ["5m"], busy = [300, "1h"], failed = []}') == Retries((five,), (five, hour))
    assert retries('{failed = ["1h"]}') == Retries(failed=(hour,))
    assert retries("{}") == retries("[]") == Retries()


def test_local_times_of_a_poll_are_of_the_time_zone(tmp_path: Path) -> None:
    poll = read(SITE + '[[poll]]\nname = "x"\nopens_at = 2026-11-23T20:00:00\n', tmp_path).policy.polls[0]
    assert poll.opens_at == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert poll.closes_at is None


def test_holidays_may_be_several_regions_and_dates(tmp_path: Path) -> None:
    text = HOURS + 'holidays = ["IN-KA", "IN-MH", "2026-11-09"]\ndates = [2026-12-31]\n'
    hours = read(text, tmp_path).policy.campaigns[0].hours
    assert hours is not None
    assert hours.holidays.region == "IN-KA,IN-MH"
    assert hours.holidays.dates == {date(2026, 11, 9), date(2026, 12, 31)}
    assert date(2026, 5, 1) in hours.holidays  # Maharashtra Day and May Day
    assert date(2026, 11, 1) in hours.holidays  # Karnataka Rajyotsava


def test_after_hours_sms_may_stand_alone_with_a_sender(tmp_path: Path) -> None:
    text = HOURS + '[campaign.after_hours.sms]\nbody = "Closed"\nsender = "EXAMPL"\n'
    campaign = read(text, tmp_path).policy.campaigns[0]
    assert campaign.sms is None
    assert campaign.after_hours.sms is not None
    assert campaign.after_hours.sms.sender == "EXAMPL"


def test_an_option_has_to_fit_into_the_template(tmp_path: Path) -> None:
    text = SMS.replace("Hi", "{option}") + 'dlt_template = "{#var#}"\n'
    vote = '[campaign.vote]\npoll = "p"\noption = "%s"\n[[poll]]\nname = "p"\n'
    assert read(text + vote % ("x" * 29), tmp_path)
    (problem,) = problems_of(text + vote % ("x" * 30), tmp_path)
    assert (problem.key, "longer than the 29 characters" in problem.reason) == (
        'campaign "a": sms.body',
        True,
    )


def test_after_hours_sms_takes_no_template_with_it(tmp_path: Path) -> None:
    text = SMS.replace("[campaign.sms]", '[campaign.hours]\nopen = "daily 09:00-18:00"\n[campaign.sms]')
    sms = (
        read(text + '[campaign.after_hours.sms]\nbody = "Closed"\n', tmp_path)
        .policy.campaigns[0]
        .after_hours.sms
    )
    assert sms is not None
    assert (sms.dlt_entity_id, sms.dlt_template_id) == (ENTITY, None)


def test_the_store_is_beside_the_file_or_in_the_state_directory(tmp_path: Path) -> None:
    text = CAMPAIGN + '[store]\npath = "deep/calls.db"\n'
    assert read(text, tmp_path).store_path == tmp_path / "deep/calls.db"
    assert read(text, tmp_path, STATE_DIRECTORY="/var/lib/missedd").store_path == Path(
        "/var/lib/missedd/deep/calls.db"
    )
    absolute = CAMPAIGN + '[store]\npath = "/srv/calls.db"\n'
    assert read(absolute, tmp_path, STATE_DIRECTORY="/var/lib/missedd").store_path == Path("/srv/calls.db")


def test_endpoints(tmp_path: Path) -> None:
    text = '[listen]\npublic = "[::1]:0"\nprivate = "localhost:0"\n[exotel]\naccount_sid = "x"\n'
    listen = read(text, tmp_path).listen
    assert listen.public == ListenAddress("::1", 0)
    assert (str(listen.public), str(listen.private)) == ("[::1]:0", "localhost:0")
    assert listen.public.is_loopback
    assert listen.private.is_loopback
    assert not ListenAddress("10.0.0.1", 80).is_loopback
    # Silent on the URL, it is http to where the port was really bound.
    assert listen.public_url == "http://[::1]:0"
    assert listen.public_url_for(ListenAddress("::1", 4711)) == "http://[::1]:4711"


def test_a_public_url_that_was_said_stays(tmp_path: Path) -> None:
    listen = read(CAMPAIGN.replace("example.in", "example.in/missedd/"), tmp_path).listen
    assert listen.public_url == "https://calls.example.in/missedd"
    assert listen.public_url_for(ListenAddress("127.0.0.1", 1)) == "https://calls.example.in/missedd"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86_400),
        ("1h30m", 5400),
        ("1H 30M", 5400),
        ("1d2h3m4s", 93_784),
        (45, 45),
        (0.5, 0.5),
        ("0s", 0),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "5", "m", "5 minutes", "30m1h", "-5m", "1.5h", True, [], {}, float("nan")]
)
def test_no_durations(written: object) -> None:
    assert parse_duration(written) is None


def test_spelling_durations() -> None:
    assert [format_duration(timedelta(seconds=each)) for each in (0, 0.5, 30, 5400, 86_400)] == [
        "0s",
        "0.5s",
        "30s",
        "1h30m",
        "1d",
    ]


@pytest.mark.parametrize(
    ("written", "days", "start", "end"),
    [
        ("mon-fri 09:30-18:30", "01234", time(9, 30), time(18, 30)),
        ("sat 10:00-14:00", "5", time(10), time(14)),
        ("mon,wed 22:00-02:00", "02", time(22), time(2)),
        ("daily 09:00-21:00", "0123456", time(9), time(21)),
        ("fri-mon 9:00-24:00", "0456", time(9), time(0)),
        ("Monday, Thu-Sat 00:00-24:00", "0345", time(0), time(0)),
        ("sun-sun 10:00 \N{EN DASH} 12:00", "6", time(10), time(12)),
    ],
)
def test_windows(written: str, days: str, start: time, end: time) -> None:
    window = parse_window(written)
    assert "".join(str(each) for each in sorted(window.weekdays)) == days
    assert (window.start, window.end) == (start, end)


# What is wrong: the text, the key, a part of the reason, the suggestion.
MISTAKES: dict[str, tuple[str, str, str, str | None]] = {
    "unknown table": (SITE + "[[campains]]\n", "campains", "unknown key", "campaign"),
    "unknown key": (CALLBACK + "dely = 1\n", 'campaign "a": callback.dely', "unknown key", "delay"),
    "a key of another table": (
        CAMPAIGN + 'delay = "30s"\n',
        'campaign "a": delay',
        "unknown key here: it belongs in [campaign.callback]",
        None,
    ),
    "a key of the table above": (
        CALLBACK + 'dedup_window = "5m"\n',
        'campaign "a": callback.dedup_window',
        "unknown key here: it belongs in [[campaign]]",
        None,
    ),
    "a key of the file below a table": (
        CALLBACK + 'timezone = "Asia/Kolkata"\n',
        'campaign "a": callback.timezone',
        "unknown key here: it belongs at the top of the file, before the first table",
        None,
    ),
    "a key of two tables": (
        CAMPAIGN + "max_per_hour = 1\n",
        'campaign "a": max_per_hour',
        "unknown key here: it belongs in [campaign.callback] or in [campaign.verify]",
        None,
    ),
    "unknown and like nothing": (SITE + "zzz = 1\n", "exotel.zzz", "unknown key", None),
    "odd key": (SITE + '"a b" = 1\n', "exotel.'a b'", "unknown key", None),
    "unknown key of a poll": (
        SITE + '[[poll]]\nname = "x"\nkeeps = 1\n',
        'poll "x": keeps',
        "unknown key",
        "keep",
    ),
    "secret": (SITE + 'api_token = "x"\n', "exotel.api_token", "EXOTEL_API_TOKEN", None),
    "one campaign": (SITE + "[campaign]\n", "campaign", "[[campaign]]", None),
    "several callbacks": (
        CAMPAIGN + "[[campaign.callback]]\n",
        'campaign "a": callback',
        "must be a table",
        None,
    ),
    "no table": (CAMPAIGN + "sms = true\n", 'campaign "a": sms', "must be a table, not true", None),
    "no sid": ("[exotel]\n", "exotel.account_sid", "is required", None),
    "no exotel": ("", "exotel.account_sid", "is required", None),
    "sid like a path": ('exotel.account_sid = "a/b"', "exotel.account_sid", "letters and digits", None),
    "a flag in quotes": (SITE + 'catch_up = "no"\n', "exotel.catch_up", "must be true or false", None),
    "erased too soon": (
        SITE + '[retention]\nerase_after = "29d23h"\n',
        "retention.erase_after",
        "at least 30d",
        None,
    ),
    "erased in a thousand years": (
        SITE + '[retention]\nerase_after = "365000d"\n',
        "retention.erase_after",
        "at most 3660d",
        None,
    ),
    "no such retention": (
        SITE + '[retention]\nerase = "400d"\n',
        "retention.erase",
        "unknown key",
        "erase_after",
    ),
    "budget of nothing": (SITE + "calls_per_minute = 0\n", "exotel.calls_per_minute", "at least 1", None),
    "budget of truth": (
        SITE + "sms_per_minute = true\n",
        "exotel.sms_per_minute",
        "whole number, not true",
        None,
    ),
    "budget of half": (SITE + "sms_per_minute = 0.5\n", "exotel.sms_per_minute", "whole number", None),
    "api without scheme": (SITE + 'api_base = "api.exotel.com"\n', "exotel.api_base", "http://", None),
    "api with key": (SITE + 'api_base = "https://k:t@api.exotel.com"\n', "exotel.api_base", "secrets", None),
    "time zone": ('timezone = "Asia/Kolkatta"' + SITE, "timezone", "is not a time zone", "Asia/Kolkata"),
    "time zone's nickname": ('timezone = "IST"' + SITE, "timezone", "is not a time zone", "Asia/Kolkata"),
    "time zone's folder": ('timezone = "Asia"' + SITE, "timezone", "is not a time zone", None),
    "path for a zone": ('timezone = "../etc"' + SITE, "timezone", "is not a time zone", None),
    "store in memory": (SITE + '[store]\npath = ":memory:"\n', "store.path", "the name of a file", None),
    "unix": ('[listen]\npublic = "unix:run/x"\n' + SITE[9:], "listen.public", "absolute path", None),
    "long unix": (f'[listen]\npublic = "unix:/{"x" * 107}"\n' + SITE[9:], "listen.public", "107 bytes", None),
    "private unix": (
        '[listen]\nprivate = "unix:/run/x"\n' + SITE[9:],
        "listen.private",
        "only the public",
        None,
    ),
    "port only": ('[listen]\nprivate = ":8081"\n' + SITE[9:], "listen.private", "host:port", None),
    "port too high": ('[listen]\nprivate = "a:70000"\n' + SITE[9:], "listen.private", "host:port", None),
    "bad ipv6": ('[listen]\nprivate = "[::g]:1"\n' + SITE[9:], "listen.private", "host:port", None),
    "port as a number": ("[listen]\nprivate = 8081\n" + SITE[9:], "listen.private", "string", None),
    "both the same": ('[listen]\nprivate = "127.0.0.1:8080"\n' + SITE[9:], "listen.private", "same", None),
    **{
        f"private host {host}": (f"[listen]\nprivate_hosts = [{host}]\n" + SITE[9:], key, why, None)
        for host, key, why in (
            ('"a.in:8081"', "listen.private_hosts[0]", "host name without port"),
            ('"https://a.in"', "listen.private_hosts[0]", "host name without port"),
            ('"*.a.in"', "listen.private_hosts[0]", "host name without port"),
            ("7", "listen.private_hosts[0]", "host name without port"),
            ('"a.in", "A.in."', "listen.private_hosts[1]", "already in the list"),
        )
    },
    "private hosts as text": (
        '[listen]\nprivate_hosts = "a.in"\n' + SITE[9:],
        "listen.private_hosts",
        "must be an array",
        None,
    ),
    "public url": (SITE.replace("https:", "ftp:"), "listen.public_url", "http://", None),
    "public url's query": (SITE.replace(".in", ".in?a=b"), "listen.public_url", "query", None),
    "no name": (
        SITE + '[[campaign]]\nexophones = ["+918047120001"]\n',
        "campaign 1 (+918047120001): name",
        "is required",
        None,
    ),
    "empty name": (
        CAMPAIGN.replace('"a"', '" "'),
        "campaign 1 (+918047120001): name",
        "must not be empty",
        None,
    ),
    "name of two lines": (
        CAMPAIGN.replace('"a"', '"a\\nb"'),
        "campaign 1 (+918047120001): name",
        "one line",
        None,
    ),
    "no exophones": (SITE + '[[campaign]]\nname = "a"\n', 'campaign "a": exophones', "is required", None),
    "empty exophones": (
        SITE + '[[campaign]]\nname = "a"\nexophones = []\n',
        'campaign "a": exophones',
        "must not be empty",
        None,
    ),
    "exophone not in an array": (
        SITE + '[[campaign]]\nname = "a"\nexophones = "+918047120001"\n',
        'campaign "a": exophones',
        "must be an array such as ['+918047120001']",
        None,
    ),
    "exophone too short": (
        CAMPAIGN.replace("+918047120001", "1234"),
        'campaign "a": exophones[0]',
        "is not a usable",
        None,
    ),
    "exophone as a number": (
        CAMPAIGN.replace('"+918047120001"', "918047120001"),
        'campaign "a": exophones[0]',
        "in quotes",
        None,
    ),
    "exophone twice": (
        CAMPAIGN.replace('"]', '", "08047120001"]'),
        'campaign "a": exophones[1]',
        "already in the list",
        None,
    ),
    "exophone of another": (
        CAMPAIGN + OTHER.replace("+918047120002", "080-4712-0001"),
        'campaign "b": exophones[0]',
        'campaign "a"',
        None,
    ),
    "name of another": (
        CAMPAIGN + OTHER.replace('"b"', '"a"'),
        "campaign 2 (+918047120002): name",
        'campaign "a"',
        None,
    ),
    "bad window": (CAMPAIGN + 'dedup_window = "5 minutes"\n', 'campaign "a": dedup_window', "duration", None),
    "negative window": (CAMPAIGN + "dedup_window = -1\n", 'campaign "a": dedup_window', "zero or more", None),
    "true window": (CAMPAIGN + "dedup_window = true\n", 'campaign "a": dedup_window', "not true", None),
    "endless window": (CAMPAIGN + "dedup_window = inf\n", 'campaign "a": dedup_window', "at most 366d", None),
    "overflowing window": (
        CAMPAIGN + 'dedup_window = "99999999999999d"\n',
        'campaign "a": dedup_window',
        "at most 366d",
        None,
    ),
    "neither": (
        CAMPAIGN + "[campaign.callback]\n",
        'campaign "a": callback.flow',
        "is required, or agents",
        None,
    ),
    "both": (CALLBACK + 'agents = ["+919876500001"]\n', 'campaign "a": callback.flow', "with agents", None),
    "an exophone as an agent": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+919876500001", "080-4712 0001"]\n',
        'campaign "a": callback.agents[1]',
        "is an ExoPhone of this configuration, so nobody answers",
        None,
    ),
    "a later campaign's exophone as an agent": (
        CAMPAIGN
        + '[campaign.callback]\nagents = [{number = "+918047120077"}]\n'
        + '[[campaign]]\nname = "b"\nexophones = ["+918047120077"]\n[campaign.lead]\n',
        'campaign "a": callback.agents[0].number',
        "is an ExoPhone of this configuration",
        None,
    ),
    "a caller id as an agent": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+918047120099"]\ncaller_id = "080 4712 0099"\n',
        'campaign "a": callback.agents[0]',
        "is an ExoPhone of this configuration",
        None,
    ),
    "no caller id": (
        CALLBACK + 'caller_id = "the shop"\n',
        'campaign "a": callback.caller_id',
        "must be an ExoPhone of the account, in quotes, not 'the shop'",
        None,
    ),
    "no agents": (
        CAMPAIGN + "[campaign.callback]\nagents = []\n",
        'campaign "a": callback.agents',
        "empty",
        None,
    ),
    "wrong agent": (
        CAMPAIGN + '[campaign.callback]\nagents = ["ring me"]\n',
        'campaign "a": callback.agents[0]',
        "not a usable phone number",
        None,
    ),
    "an agent that is no number": (
        CAMPAIGN + "[campaign.callback]\nagents = [5]\n",
        'campaign "a": callback.agents[0]',
        "a number in quotes, or a table with one, not 5",
        None,
    ),
    "an agent without a number": (
        CAMPAIGN + '[campaign.callback]\nagents = [{open = "mon 09:00-12:00"}]\n',
        'campaign "a": callback.agents[0].number',
        "is required",
        None,
    ),
    "an agent twice": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+919876500001", {number = "098765 00001"}]\n',
        'campaign "a": callback.agents[1].number',
        "is already in the list",
        None,
    ),
    "an agent's wrong hours": (
        CAMPAIGN
        + '[campaign.callback]\nagents = ["+919876500001", {number = "098765 00002", open = ["mon 9-12"]}]\n',
        'campaign "a": callback.agents[1].open[0]',
        "has no hours such as 09:30-18:30",
        None,
    ),
    "an agent never on duty": (
        CAMPAIGN + '[campaign.callback]\nagents = [{number = "+919876500002", open = []}]\n',
        'campaign "a": callback.agents[0].open',
        "leave it out to be always on duty",
        None,
    ),
    "an agent's unknown key": (
        CAMPAIGN + '[campaign.callback]\nagents = [{number = "+919876500002", opn = ["mon 09:00-12:00"]}]\n',
        'campaign "a": callback.agents[0].opn',
        "unknown key",
        "open",
    ),
    "first of a flow": (CALLBACK + 'first = "agent"\n', 'campaign "a": callback.first', "needs agents", None),
    "first unknown": (CALLBACK + 'first = "custmer"\n', 'campaign "a": callback.first', "one of", "customer"),
    "too late": (
        CALLBACK + 'delay = "5m"\ngive_up_after = "4m"\n',
        'campaign "a": callback.give_up_after',
        "4m is shorter than delay, 5m",
        None,
    ),
    "too late by default": (
        CALLBACK + 'delay = "20m"\n',
        'campaign "a": callback.give_up_after',
        "default of 15m is shorter than delay, 20m",
        None,
    ),
    "negative delay": (CALLBACK + "delay = -1\n", 'campaign "a": callback.delay', "zero or more", None),
    "no give_up": (
        CALLBACK + "give_up_after = 0\n",
        'campaign "a": callback.give_up_after',
        "more than zero",
        None,
    ),
    "rings too long": (
        CALLBACK + "ring_timeout = 61\n",
        'campaign "a": callback.ring_timeout',
        "at most 1m",
        None,
    ),
    "rings a half": (CALLBACK + "ring_timeout = 1.5\n", 'campaign "a": callback.ring_timeout', "whole", None),
    "talks too long": (
        CALLBACK + 'time_limit = "5h"\n',
        'campaign "a": callback.time_limit',
        "at most 4h",
        None,
    ),
    "no callbacks": (
        CALLBACK + "max_per_hour = 0\n",
        'campaign "a": callback.max_per_hour',
        "at least 1",
        None,
    ),
    "retry at once": (
        CALLBACK + 'retries = ["5m", 0]\n',
        'campaign "a": callback.retries[1]',
        "more than zero",
        None,
    ),
    "retry of a kind at once": (
        CALLBACK + 'retries = {no-answer = ["5m"], busy = ["1m", "0s"]}\n',
        'campaign "a": callback.retries.busy[1]',
        "more than zero",
        None,
    ),
    "retries of a kind not in an array": (
        CALLBACK + 'retries = {failed = "5m"}\n',
        'campaign "a": callback.retries.failed',
        "must be an array such as ['5m']",
        None,
    ),
    "retries of no known outcome": (
        CALLBACK + 'retries = {no_answer = ["5m"]}\n',
        'campaign "a": callback.retries.no_answer',
        "unknown key",
        "no-answer",
    ),
    "retries not in an array": (
        CALLBACK + 'retries = "5m"\n',
        'campaign "a": callback.retries',
        "array",
        None,
    ),
    "class": (
        CALLBACK + 'message_class = "promotion"\n',
        'campaign "a": callback.message_class',
        "one of",
        "promotional",
    ),
    "no sender": (
        CAMPAIGN + '[campaign.sms]\nbody = "Hi"\n',
        'campaign "a": sms.sender',
        "is required",
        None,
    ),
    "no body": (CAMPAIGN + '[campaign.sms]\nsender = "E"\n', 'campaign "a": sms.body', "is required", None),
    "empty body": (SMS.replace("Hi", " "), 'campaign "a": sms.body', "must not be empty", None),
    "body too long": (
        SMS.replace("Hi", "x" * 2001),
        'campaign "a": sms.body',
        "2000 characters, not 2001",
        None,
    ),
    "unknown value": (
        SMS.replace("Hi", "Hi {tiem}"),
        'campaign "a": sms.body',
        "'tiem' at character 4",
        "time",
    ),
    "nothing like it": (SMS.replace("Hi", "{}"), 'campaign "a": sms.body', "the names are {caller}", None),
    "placeholder": (SMS.replace("Hi", "Hi {#var#}"), 'campaign "a": sms.body', "write the text itself", None),
    "lone brace": (
        SMS.replace("Hi", "Hi }"),
        'campaign "a": sms.body',
        "a single brace at character 4",
        None,
    ),
    "opening without hours": (
        SMS.replace("Hi", "{opening}"),
        'campaign "a": sms.body',
        "without [campaign.hours]",
        None,
    ),
    "standing without vote": (
        SMS.replace("Hi", "{standing}"),
        'campaign "a": sms.body',
        "has no [campaign.vote]",
        None,
    ),
    "other text": (
        SMS + 'dlt_template = "Hi!"\n',
        'campaign "a": sms.body',
        "the text ends after character 2, the template continues with '!' (character 3)",
        None,
    ),
    "other variable": (
        SMS.replace("Hi", "Hi {time}") + 'dlt_template = "Hi {#num#}"\n',
        'campaign "a": sms.dlt_template',
        "'{#num#}', which is not a type of variable: the types are {#var#}, {#numeric#},",
        "{#numeric#}",
    ),
    "long with values": (
        SMS.replace("Hi", "{caller}" + "x" * 1990),
        'campaign "a": sms.body',
        "not 2006 when each value has its greatest length",
        None,
    ),
    "other text after hours": (
        HOURS + '[campaign.after_hours.sms]\nsender = "E"\nbody = "{opening}."\ndlt_template = "{#var#}"\n',
        'campaign "a": after_hours.sms.body',
        "the text continues with '.' (character 10), the template ends after character 7",
        None,
    ),
    "template": (SMS.replace(TEMPLATE, "two"), 'campaign "a": sms.dlt_template_id', "digits", None),
    "no url": (CAMPAIGN + "[campaign.webhook]\n", 'campaign "a": webhook.url', "is required", None),
    "webhook format": (
        CAMPAIGN + '[campaign.webhook]\nurl = "https://crm.example.in/"\nformat = "xml"\n',
        'campaign "a": webhook.format',
        'must be one of "json", "form"',
        None,
    ),
    "file url": (
        CAMPAIGN + '[campaign.webhook]\nurl = "file:///x"\n',
        'campaign "a": webhook.url',
        "http://",
        None,
    ),
    "no host": (
        CAMPAIGN + '[campaign.webhook]\nurl = "http://:80/"\n',
        'campaign "a": webhook.url',
        "http://",
        None,
    ),
    "bad port": (
        CAMPAIGN + '[campaign.webhook]\nurl = "http://a:b"\n',
        'campaign "a": webhook.url',
        "http://",
        None,
    ),
    "no windows": (CAMPAIGN + "[campaign.hours]\n", 'campaign "a": hours.open', "is required", None),
    "never open": (
        CAMPAIGN + "[campaign.hours]\nopen = []\n",
        'campaign "a": hours.open',
        "never open",
        None,
    ),
    "day": (HOURS.replace("daily", "mon-fry"), 'campaign "a": hours.open[0]', "no such day: 'fry'", None),
    "day too short": (HOURS.replace("daily", "m"), 'campaign "a": hours.open[0]', "no such day", None),
    "no day": (HOURS.replace("daily ", ""), 'campaign "a": hours.open[0]', "days and hours", None),
    "no hours": (HOURS.replace("09:00-18:00", "9-18"), 'campaign "a": hours.open[0]', "no hours", None),
    "hour 25": (HOURS.replace("18:00", "25:00"), 'campaign "a": hours.open[0]', "no such time", None),
    "past 24:00": (HOURS.replace("18:00", "24:01"), 'campaign "a": hours.open[0]', "no such time", None),
    "from 24:00": (HOURS.replace("09:00", "24:00"), 'campaign "a": hours.open[0]', "no such time", None),
    "no length": (HOURS.replace("18:00", "09:00"), 'campaign "a": hours.open[0]', "same time", None),
    "window as a number": (
        HOURS.replace('"daily 09:00-18:00"', "9"),
        'campaign "a": hours.open[0]',
        "string",
        None,
    ),
    "region": (HOURS + 'holidays = "IN-Ka"\n', 'campaign "a": hours.holidays', "is not a region", "IN-KA"),
    "region in a list": (
        HOURS + 'holidays = ["in-mh"]\n',
        'campaign "a": hours.holidays[0]',
        "is not a region",
        "IN-MH",
    ),
    "state's name": (
        HOURS + 'holidays = "Karnataka"\n',
        'campaign "a": hours.holidays',
        "is not a region",
        "IN-KA",
    ),
    "country's name": (
        HOURS + 'holidays = "India"\n',
        'campaign "a": hours.holidays',
        "is not a region",
        "IN",
    ),
    "country": (HOURS + 'holidays = "Narnia"\n', 'campaign "a": hours.holidays', "is not a region", None),
    "date": (HOURS + 'dates = ["2026-13-01"]\n', 'campaign "a": hours.dates[0]', "a date such as", None),
    "region as a date": (
        HOURS + 'dates = ["IN-KA"]\n',
        'campaign "a": hours.dates[0]',
        "a date such as",
        None,
    ),
    "year": (HOURS + "dates = [0026-11-09]\n", 'campaign "a": hours.dates[0]', "a date such as", None),
    "date with time": (
        HOURS + "dates = [2026-11-09T00:00:00]\n",
        'campaign "a": hours.dates[0]',
        "a date",
        None,
    ),
    "after no hours": (
        CAMPAIGN + "[campaign.after_hours]\n",
        'campaign "a": after_hours',
        "campaign.hours",
        None,
    ),
    "after hours": (
        HOURS + '[campaign.after_hours]\ncallback = "defr"\n',
        'campaign "a": after_hours.callback',
        "one of",
        "defer",
    ),
    "after hours without sender": (
        HOURS + '[campaign.after_hours.sms]\nbody = "x"\n',
        'campaign "a": after_hours.sms.sender',
        "no [campaign.sms]",
        None,
    ),
    "no option": (
        CAMPAIGN + '[campaign.vote]\npoll = "p"\n[[poll]]\nname = "p"\n',
        'campaign "a": vote.option',
        "is required",
        None,
    ),
    "no poll": (
        CAMPAIGN + '[campaign.vote]\npoll = "singr"\noption = "A"\n[[poll]]\nname = "singer"\n',
        'campaign "a": vote.poll',
        "no [[poll]] named 'singr'",
        "singer",
    ),
    "poll with a slash": (
        SITE + '[[poll]]\nname = "a/b"\n',
        'poll "a/b": name',
        "part of the API's URLs",
        None,
    ),
    "poll twice": (SITE + '[[poll]]\nname = "p"\n' * 2, "poll 2: name", "another poll", None),
    "poll of no votes": (
        SITE + '[[poll]]\nname = "p"\nvotes_per_number = 0\n',
        'poll "p": votes_per_number',
        "at least 1",
        None,
    ),
    "poll keeps": (SITE + '[[poll]]\nname = "p"\nkeep = "lst"\n', 'poll "p": keep', "one of", "last"),
    "poll's order": (
        SITE + '[[poll]]\nname = "p"\nopens_at = 2026-01-02T00:00:00Z\ncloses_at = 2026-01-01T00:00:00Z\n',
        'poll "p": closes_at',
        "after opens_at",
        None,
    ),
    "poll's date": (
        SITE + '[[poll]]\nname = "p"\nopens_at = 2026-01-02\n',
        'poll "p": opens_at',
        "and time",
        None,
    ),
    "no list": (CAMPAIGN + "[campaign.subscribe]\n", 'campaign "a": subscribe.list', "is required", None),
    "no list to leave": (
        CAMPAIGN + "[campaign.unsubscribe]\n",
        'campaign "a": unsubscribe.list',
        "required",
        None,
    ),
    "no such list name": (
        CAMPAIGN + '[campaign.subscribe]\nlist = "a/b"\n',
        'campaign "a": subscribe.list',
        "must not contain a slash",
        None,
    ),
    "a time without suppression": (
        CAMPAIGN + '[campaign.unsubscribe]\nlist = "x"\nsuppress_for = "9d"\n',
        'campaign "a": unsubscribe.suppress_for',
        "needs suppress = true",
        None,
    ),
    "no time to live": (
        CAMPAIGN + "[campaign.verify]\nttl = 0\n",
        'campaign "a": verify.ttl',
        "more than",
        None,
    ),
    "a country by its name": (
        SITE + '[contact]\ncountries = ["India"]\n',
        "contact.countries[0]",
        "is not a country code of ISO 3166 such as \"IN\": 'India'",
        "IN",
    ),
    "a country in its own language": (
        SITE + '[contact]\ncountries = ["Deutschland"]\n',
        "contact.countries[0]",
        "ISO 3166",
        "DE",
    ),
    "a country in small letters": (
        CAMPAIGN + '[campaign.contact]\ncountries = ["IN", "ae"]\n',
        'campaign "a": contact.countries[1]',
        "ISO 3166",
        "AE",
    ),
    "a country's nickname": (
        SITE + '[contact]\ncountries = ["UAE"]\n',
        "contact.countries[0]",
        "ISO 3166",
        "AE",
    ),
    "a calling code for a country": (
        SITE + '[contact]\ncountries = ["+91"]\n',
        "contact.countries[0]",
        "ISO 3166",
        "IN",
    ),
    "no country at all": (SITE + "[contact]\ncountries = [91]\n", "contact.countries[0]", "ISO 3166", None),
    "nobody's country": (SITE + "[contact]\ncountries = []\n", "contact.countries", "not be empty", None),
    "a country without brackets": (
        SITE + '[contact]\ncountries = "IN"\n',
        "contact.countries",
        "must be an array such as ['IN']",
        None,
    ),
    "any among others": (
        SITE + '[contact]\ncountries = ["IN", "any"]\n',
        "contact.countries[1]",
        'write countries = "any"',
        None,
    ),
    "a poll's country": (
        SITE + '[[poll]]\nname = "x"\ncountries = ["Inda"]\n',
        'poll "x": countries[0]',
        "ISO 3166",
        "IN",
    ),
    "no such contact": (
        SITE + '[contact]\ncountry = ["IN"]\n',
        "contact.country",
        "unknown key",
        "countries",
    ),
    "quiet hours": (
        SITE + '[quiet_hours]\npromotional = "10-21"\n',
        "quiet_hours.promotional",
        "no hours",
        None,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named(mistake: str, tmp_path: Path) -> None:
    text, key, reason, suggestion = MISTAKES[mistake]
    problems = problems_of(text, tmp_path)
    assert [each.key for each in problems] == [key], [str(each) for each in problems]
    assert reason in problems[0].reason
    assert problems[0].suggestion == suggestion
    said = str(problems[0])
    assert said.startswith(f"{tmp_path / 'missedd.toml'}: {key}: ")
    assert suggestion is None or f"did you mean {suggestion!r}?" in said


def test_a_run_of_listed_holidays_that_never_ends(tmp_path: Path) -> None:
    sundays = [date(2026, 11, 1) + timedelta(weeks=n) for n in range(10)]
    text = HOURS.replace("daily", "sun") + f"dates = [{', '.join(map(str, sundays))}]\n"
    (problem,) = problems_of(text, tmp_path)
    assert problem.key == 'campaign "a": hours.open'
    assert "does not open within 60 days after 2026-11-01" in problem.reason


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    text = textwrap.dedent("""
        timezone = "Mars"
        campains = 1
        [listen]
        public = "nowhere"
        [[campaign]]
        name = "a"
        exophones = ["123", "+918047120001"]
        [campaign.callback]
        delay = "soon"
        [campaign.vote]
        poll = "p"
        [[campaign]]
        name = "a"
        exophones = ["08047120001"]
    """)
    assert {each.key for each in problems_of(text, tmp_path)} == {
        "timezone",
        "campains",
        "listen.public",
        "exotel.account_sid",
        'campaign "a": exophones[0]',
        'campaign "a": callback.delay',
        'campaign "a": callback.flow',
        'campaign "a": vote.option',
        'campaign "a": vote.poll',
        "campaign 2 (+918047120001): name",
        "campaign 2 (+918047120001): exophones[0]",
    }


@pytest.mark.parametrize(
    ("content", "key", "reason"),
    [
        (b"a = 1\nb = \n", "line 2, column 5", "invalid value"),
        (b"[x]\nname = admissions # ours\n", "line 2, column 8", 'text needs quotes: write name = "\u2026"'),
        (b"delay = 30s\n", "line 1, column 11", "text needs quotes: write delay = "),
        (b"open = [mon-fri 09:30-18:30]\n", "line 1, column 9", 'text needs quotes: write open = ["\u2026"]'),
        (
            "name = \u201cadmissions\u201d\n".encode(),
            "line 1, column 8",
            "\u201c is a curly quote; write straight quotes",
        ),
        (b"catch_up = False\n", "line 1, column 12", "write catch_up = false"),
        (b"[exotel\n", "line 1, column 8", "expected"),
        (b"[exotel]\n[exotel]\n", "line 2, column 8", "cannot declare"),
        (b"a = ", "end of file", "invalid value"),
        (b"a = 1\nb = '\xff'\n", "line 2", "UTF-8"),
    ],
)
def test_what_is_no_toml(content: bytes, key: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "missedd.toml"
    file.write_bytes(content)
    with pytest.raises(InvalidConfig) as caught:
        load_settings(file, {})
    (problem,) = caught.value.problems
    assert problem.key == key
    assert reason in problem.reason


def test_no_file_and_no_readable_file(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "absent.toml", "no such file"), (tmp_path, "cannot be read")):
        with pytest.raises(InvalidConfig, match=reason) as caught:
            load_settings(path, {})
        (problem,) = caught.value.problems
        assert problem.key == ""
        assert str(problem).startswith(f"{path}: ")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "missedd.toml").write_bytes(b"\xef\xbb\xbf" + CAMPAIGN.encode())
    assert load_settings(tmp_path / "missedd.toml", {}).exotel.account_sid == "example1"


OFFICE = '[campaign.hours]\nopen = ["mon-fri 09:30-18:30"]\n'
NIGHT = '{number = "+919876500002", open = ["mon-thu 19:00-02:00", "sun 00:00-24:00"]}'
TEXTED = SMS + 'dlt_template = "Hi"\n' + OFFICE + '[campaign.after_hours.sms]\nbody = "{opening}"\n'
TEXTED += f'dlt_template_id = "{OTHER_TEMPLATE}"\n' + 'dlt_template = "{#var#}"\n'
WARNED = {
    "nobody on duty": (
        CAMPAIGN + f"[campaign.callback]\nagents = [{NIGHT}]\n" + OFFICE,
        'campaign "a": callback.agents: nobody is on duty in business hours, so no callback is made',
    ),
    "one never on duty": (
        CAMPAIGN + f'[campaign.callback]\nagents = ["+919876500001", {NIGHT}]\n' + OFFICE,
        'campaign "a": callback.agents[1]: is never on duty in business hours',
    ),
    "plain http": (CALLBACK.replace("https:", "http:"), "listen.public_url: plain http"),
    "private in public": ('[listen]\nprivate = "0.0.0.0:1"\n' + CALLBACK[9:], "listen.private: 0.0.0.0:1"),
    "cut off": (
        CALLBACK.replace("https://calls.example.in", "http://127.0.0.1"),
        "listen.public_url: Exotel can",
    ),
    "no campaigns": (SITE, "campaign: there is no campaign"),
    "no actions": (CAMPAIGN, 'campaign "a": has no actions'),
    "nothing to compare": (SMS, 'campaign "a": sms: without dlt_template its text is not compared'),
    "no template": (
        SMS.replace(f'dlt_template_id = "{TEMPLATE}"\n', ""),
        'campaign "a": sms: without both DLT ids',
    ),
    "no such header": (
        TEXTED.replace("EXAMPL", "EXAMPLE12"),
        'campaign "a": sms.sender: is neither a DLT header, which has six letters or digits, nor an ExoPhone',
    ),
    "its country twice": (
        CALLBACK.replace("+918047120001", "+91918047120001"),
        'campaign "a": exophones[0]: does not look like a number of its country',
    ),
    "an agent's country twice": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+919876500001", "+91919876500002"]\n',
        'campaign "a": callback.agents[1]: does not look like a number of its country',
    ),
    "an exophone of no country": (
        CALLBACK.replace("+918047120001", "+80012345678"),
        'campaign "a": exophones[0]: belongs to no country in the numbering plan, so callers from every',
    ),
    "another campaign's number to call from": (
        CALLBACK
        + 'caller_id = "+918047120077"\n'
        + '[[campaign]]\nname = "desk"\nexophones = ["+918047120077"]\n[campaign.lead]\n',
        'campaign "a": callback.caller_id: is an ExoPhone of campaign "desk"; calls to it belong to that ',
    ),
    "unused poll": (CALLBACK + '[[poll]]\nname = "p"\n', 'poll "p": no campaign has votes'),
    "no way in": (
        CAMPAIGN + '[campaign.unsubscribe]\nlist = "x"\n',
        'campaign "a": unsubscribe.list: no campaign',
    ),
    "a callback to nobody": (
        CALLBACK
        + '[campaign.unsubscribe]\nlist = "x"\nsuppress = true\nsuppress_for = "90d"\n'
        + '[[campaign]]\nname = "on"\nexophones = ["+918047120077"]\n'
        + '[campaign.subscribe]\nlist = "x"\npurpose = "y"\n',
        'campaign "a": callback: is never made',
    ),
    "no purpose": (
        CAMPAIGN + '[campaign.subscribe]\nlist = "x"\n',
        'campaign "a": subscribe.purpose: is missing',
    ),
    "too many retries of a kind": (
        CALLBACK + 'retries = {no-answer = ["70m", "1m"], busy = ["5m"], failed = ["30m", "30m"]}\n',
        'campaign "a": callback.retries: more than',
    ),
    "too many retries": (CALLBACK + 'retries = ["5m", "5m"]\n', 'campaign "a": callback.retries: more than'),
    "no dedup window": (
        CALLBACK.replace("[campaign.c", "dedup_window = 0\n[campaign.c"),
        'campaign "a": dedup_window: is 0s, so a caller who calls several times gets several',
    ),
    "a dedup window of seconds": (
        SMS.replace("[campaign.s", "dedup_window = 10\n[campaign.s") + 'dlt_template = "Hi"\n',
        'campaign "a": dedup_window: is 10s, so a caller who calls several times',
    ),
    "a long delay": (
        CALLBACK + 'delay = "10m"\n',
        'campaign "a": callback.delay: is 10m: the longer the delay, the fewer customers answer; 15s',
    ),
    "many callbacks an hour": (
        CALLBACK + "max_per_hour = 60\n",
        'campaign "a": callback.max_per_hour: is 60: so many callbacks annoy people',
    ),
    "a short ring": (
        CALLBACK + 'ring_timeout = "1s"\n',
        'campaign "a": callback.ring_timeout: is 1s: nobody answers so fast',
    ),
    "an evening in the morning": (
        CALLBACK + '[campaign.hours]\nopen = ["mon-fri 09:30-07:00", "sat 10:00-14:00"]\n',
        'campaign "a": hours.open: 09:30-07:00 runs over midnight, 21h30m in all; if that is not intended, '
        "write 09:30-19:00",
    ),
    "hours in the wrong order": (
        CALLBACK + '[campaign.hours]\nopen = "daily 18:00-09:00"\n',
        'campaign "a": hours.open: 18:00-09:00 runs over midnight, 15h in all; if that is not intended, '
        "write 09:00-18:00",
    ),
    "an agent's evening in the morning": (
        CAMPAIGN
        + '[campaign.callback]\nagents = ["+919876500001", {number = "+919876500002", '
        + 'open = "daily 9:00-6:00"}]\n',
        'campaign "a": callback.agents[1].open: 09:00-06:00 runs over midnight, 21h in all',
    ),
    "our path in the public url": (
        CALLBACK.replace("calls.example.in", "example.in/calls/exotel/"),
        "listen.public_url: contains a path that missedd adds itself, so Exotel's reports would go to a path "
        "that does not exist; write https://example.in/calls",
    ),
    "a whole address for the public url": (
        CALLBACK.replace("calls.example.in", "calls.example.in/exotel/secret-token-of-ours/missed-call"),
        "listen.public_url: contains a path that missedd adds itself",
    ),
    "a short template id": (
        TEXTED.replace(TEMPLATE, "123456"),
        'campaign "a": sms.dlt_template_id: has 6 digits instead of 19, so it is not a registered',
    ),
    "a long template id after hours": (
        TEXTED.replace(OTHER_TEMPLATE, OTHER_TEMPLATE + "1"),
        'campaign "a": after_hours.sms.dlt_template_id: has 20 digits instead of 19',
    ),
    "a short entity id": (TEXTED.replace(ENTITY, "11"), 'campaign "a": sms.dlt_entity_id: has 2 digits'),
    "erased within the year": (
        CALLBACK + '[retention]\nerase_after = "30d"\n',
        "retention.erase_after: is less",
    ),
    "noisy": (
        CALLBACK + '[quiet_hours]\npromotional = "09:00-21:00"\n',
        "quiet_hours.promotional: includes hours",
    ),
}


def test_a_campaigns_countries_replace_the_accounts(tmp_path: Path) -> None:
    second = '[[campaign]]\nname = "b"\nexophones = ["+918047120002"]\n'
    assert [each.countries for each in read(CALLBACK + second, tmp_path).policy.campaigns] == [None, None]
    account = CALLBACK + '[campaign.contact]\ncountries = ["AE"]\n' + second
    account += '[contact]\ncountries = ["IN", "SG"]\n[[poll]]\nname = "p"\ncountries = ["IN"]\n'
    policy = read(account, tmp_path).policy
    assert [each.countries for each in policy.campaigns] == [frozenset({"AE"}), frozenset({"IN", "SG"})]
    assert policy.polls[0].countries == frozenset({"IN"})
    assert (
        read(CALLBACK + '[contact]\ncountries = "any"\n', tmp_path).policy.campaigns[0].countries
        is ANY_COUNTRY
    )


def test_a_campaign_may_call_from_a_number_that_none_owns(tmp_path: Path) -> None:
    second = '[[campaign]]\nname = "b"\nexophones = ["+918047120000"]\n[campaign.lead]\n'
    settings = read(CALLBACK + 'caller_id = "\u200b080 4712 0099"\n' + second, tmp_path)
    callback = settings.policy.campaigns[0].callback
    assert callback is not None
    assert callback.caller_id == "+918047120099"
    assert settings.policy.exophones == ("+918047120001", "+918047120000", "+918047120099")
    assert settings.warnings == ()


def test_numbers_are_kept_unless_told_otherwise(tmp_path: Path) -> None:
    assert read(CALLBACK, tmp_path).erase_after is None
    assert read(CALLBACK + "[retention]\n", tmp_path).erase_after is None
    kept = read(CALLBACK + '[retention]\nerase_after = "400d"\n', tmp_path)
    assert (kept.erase_after, kept.warnings) == (timedelta(days=400), ())


@pytest.mark.parametrize("oddity", WARNED)
def test_oddities_are_warned_of(oddity: str, tmp_path: Path) -> None:
    text, warning = WARNED[oddity]
    warnings = read(text, tmp_path).warnings
    assert len(warnings) == 1, warnings
    assert warnings[0].startswith(warning)


def test_what_is_fine_is_not_warned_of(tmp_path: Path) -> None:
    joined = CAMPAIGN + '[campaign.subscribe]\nlist = "weather"\npurpose = "weather"\n'
    assert read(joined, tmp_path).warnings == ()
    assert read(CALLBACK + 'delay = "60s"\nring_timeout = "15s"\nmax_per_hour = 2\n', tmp_path).warnings == ()
    counted = CAMPAIGN + "dedup_window = 0\n[campaign.lead]\n"
    assert read(counted, tmp_path).warnings == (), "nobody is called or texted"
    for hours in ("daily 20:00-02:00", "fri,sat 14:00-02:00", "daily 00:00-24:00", "daily 09:00-24:00"):
        assert read(CALLBACK + f'[campaign.hours]\nopen = "{hours}"\n', tmp_path).warnings == ()
    night = CAMPAIGN + f"[campaign.callback]\nagents = [{NIGHT}]\n"
    assert read(night, tmp_path).warnings == ()
    assert read(night + OFFICE + '[campaign.after_hours]\ncallback = "same"\n', tmp_path).warnings == ()
    sunday = OFFICE.replace("mon-fri 09:30-18:30", "sun 20:00-21:00")
    assert read(night + sunday, tmp_path).warnings == ()
    assert read(CALLBACK + 'retries = ["5m", "1h"]\n', tmp_path).warnings == ()
    kinds = 'retries = {no-answer = ["5m", "1h"], busy = ["40m"], failed = ["70m", "70m"]}\n'
    assert read(CALLBACK + kinds, tmp_path).warnings == ()
    for sender in ("EXAMPL", "600123", "08047120001", "+918047120001", "/EXAMPL"):
        assert read(TEXTED.replace("EXAMPL", sender), tmp_path).warnings == ()
    abroad = (
        '[[campaign]]\nname = "b"\nexophones = ["+442079460000"]\n[campaign.sms]\nsender = "Example Ltd"\n'
    )
    assert read(CALLBACK + abroad + 'body = "Hi"\n', tmp_path).warnings == ()
    simulated = CALLBACK.replace("https://calls.example.in", "http://127.0.0.1:8080")
    local = simulated.replace(
        'account_sid = "example1"', 'account_sid = "e"\napi_base = "http://127.0.0.1:9"'
    )
    assert read(local, tmp_path).warnings == ()


SECRETS = {"EXOTEL_API_KEY": "k", "EXOTEL_API_TOKEN": "t", "MISSEDD_WEBHOOK_TOKEN": "abcdefghijklmnop"}


def test_settings_and_secrets_are_checked_together(tmp_path: Path) -> None:
    file = tmp_path / "missedd.toml"
    file.write_text(CALLBACK + "dely = 1\n", encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        load_config(file, {})
    assert [each.key for each in caught.value.problems] == ['campaign "a": callback.dely', *SECRETS]
    assert str(caught.value).count("\n") == 3


@pytest.mark.parametrize(
    ("private", "is_public"),
    [
        ("0.0.0.0:8081", True),
        ("[::]:8081", True),
        ("8.8.8.8:8081", True),
        ("[2606:4700::1]:8081", True),
        ("[::ffff:8.8.8.8]:8081", True),
        ("192.168.1.5:8081", False),
        ("100.64.0.1:8081", False),
        ("[fd00::1]:8081", False),
        ("[::ffff:10.0.0.1]:8081", False),
        ("console.example.in:8081", False),
        ("localhost:8081", False),
        ("127.0.0.1:8081", False),
    ],
)
def test_where_anybody_may_come_a_password_is_asked_for(
    private: str, is_public: bool, tmp_path: Path
) -> None:
    file = tmp_path / "missedd.toml"
    file.write_text(f'[listen]\nprivate = "{private}"\n' + CALLBACK[9:], encoding="utf-8")
    with_password = {**SECRETS, "MISSEDD_CONSOLE_PASSWORD_HASH": hash_password("a long one", b"salt" * 4)}
    assert load_config(file, with_password).settings.listen.private.is_public is is_public
    if is_public:
        with pytest.raises(InvalidConfig) as caught:
            load_config(file, {})
        assert [each.key for each in caught.value.problems] == [*SECRETS, "listen.private"]
        assert "MISSEDD_CONSOLE_PASSWORD_HASH" in str(caught.value)
    else:
        assert load_config(file, SECRETS).secrets.console_password is None


def test_only_a_webhook_needs_the_webhook_secret(tmp_path: Path) -> None:
    file = tmp_path / "missedd.toml"
    file.write_text(CALLBACK, encoding="utf-8")
    assert load_config(file, SECRETS).secrets.webhook_secret is None
    file.write_text(CALLBACK + '[campaign.webhook]\nurl = "http://127.0.0.1/x"\n', encoding="utf-8")
    with pytest.raises(InvalidConfig, match="MISSEDD_WEBHOOK_SECRET: is required"):
        load_config(file, SECRETS)
    loaded = load_config(file, {**SECRETS, "MISSEDD_WEBHOOK_SECRET": "short"})
    assert loaded.secrets.signing_key == b"short"
    assert len(loaded.settings.warnings) == 2


def test_catch_up_can_be_switched_off(tmp_path: Path) -> None:
    assert not read(SITE + "catch_up = false\n", tmp_path).exotel.catch_up


def test_on_a_network_it_is_said_by_which_names_the_console_answers(tmp_path: Path) -> None:
    lan = '[listen]\nprivate = "192.168.1.7:8081"\n'
    *_, warning = read(lan + CALLBACK[9:], tmp_path).warnings
    assert warning.startswith(
        "listen.private_hosts: not set: a browser can use only an address of this machine"
    )
    named = read(lan + 'private_hosts = ["missedd.example.in"]\n' + CALLBACK[9:], tmp_path).warnings
    assert not any("private_hosts" in each for each in named)
