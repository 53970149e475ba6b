"""The settings of one campaign: agents, retries, hours, SMS, countries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from missedd.config.hours import parse_window
from missedd.core.agent_rotation import Agent
from missedd.core.contact_countries import ANY_COUNTRY
from missedd.core.policy import Retries
from tests.config.samples import CALLBACK, CAMPAIGN, ENTITY, HOURS, SITE, SMS, problems_of, read

# Values that are accepted and not in the example file.


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
