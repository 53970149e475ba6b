"""P3 for every contact: who may be contacted, when and how often.

Hours and caps are checked by the daemon's clock, the account's budgets in true time.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from missedd.config.loader import Settings
from missedd.core.business_hours import BusinessHours, Holidays, WeeklyWindow
from missedd.core.policy import AfterHoursCallback
from simulator.exchange.model.ground_truth import MINUTE, max_in_window
from simulator.harness.scenario_run import Simulation
from simulator.invariants.contacts import Contact, load_contacts
from simulator.invariants.number_rules import judge_countries, judge_refused_numbers
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

HOUR = timedelta(hours=1)


async def judge_contacts(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    contacts = await load_contacts(simulation, settings, observer)
    # The daemon checks the limits before the commit of a claim. On a slow disk the request leaves later by
    # two stalls: one for the transaction that is being committed, one for the claim's own.
    slack = 2 * timedelta(seconds=simulation.daemons.longest_stall_s)
    _judge_suppressions(simulation, contacts, results)
    await judge_refused_numbers(simulation, settings, contacts, observer, results)
    await judge_countries(settings, contacts, observer, results)
    await _judge_opt_outs(simulation, contacts, slack, observer, results)
    await _judge_pauses(simulation, contacts, observer, results)
    for contact in contacts:
        _judge_hours(contact, settings, slack, results)
    _judge_caps(contacts, slack, results)
    _judge_rate_limits(
        simulation, settings, slack if simulation.daemons.start_count > 1 else timedelta(0), results
    )


def _judge_suppressions(simulation: Simulation, contacts: list[Contact], results: PromiseResults) -> None:
    for number, since, until in simulation.operator_log.suppressions():
        for contact in contacts:
            if contact.number == number and since < contact.at < until:
                results.add_violation(
                    "P3 suppression",
                    f"{contact.kind} {contact.sid} to {number} at {contact.at}, suppressed since {since}",
                    contact.sid,
                    number,
                )


async def _judge_opt_outs(
    simulation: Simulation,
    contacts: list[Contact],
    slack: timedelta,
    observer: StoreObserver,
    results: PromiseResults,
) -> None:
    """After an opt-out the number gets one confirmation SMS of that call, and no other contact."""
    if simulation.daemons.were_clocks_wrong:
        return  # after a clock step, before and after can't be told apart
    rows = await observer.rows(
        "SELECT number, since_at / 1e6, call_id FROM suppressions WHERE source = 'opt-out'"
    )
    confirmations = {
        str(action_id): call_id
        for action_id, call_id in await observer.rows("SELECT id, call_id FROM actions WHERE kind = 'sms'")
    }
    for number, since_s, call_id in rows:
        later = [
            each
            for each in contacts
            if each.number == number and each.at.timestamp() > since_s + slack.total_seconds()
        ]
        confirming = [
            each for each in later if each.kind == "sms" and confirmations.get(each.action_id) == call_id
        ]
        results.check(
            "P3 suppression",
            len(confirming) <= 1,
            f"{number} was sent {len(confirming)} confirmations of one opting out",
            number,
        )
        for contact in later:
            if contact not in confirming:
                results.add_violation(
                    "P3 suppression",
                    f"{contact.kind} {contact.sid} to {number} at {contact.at}, who opted out before",
                    contact.sid,
                    number,
                )


async def _judge_pauses(
    simulation: Simulation, contacts: list[Contact], observer: StoreObserver, results: PromiseResults
) -> None:
    if simulation.daemons.were_clocks_wrong:
        return  # a pause ends by the daemon's clock
    owed = await observer.rows(
        "SELECT id, campaign, base_at / 1e6 FROM actions WHERE kind IN ('callback', 'sms')"
    )
    campaigns = {str(action_id): campaign for action_id, campaign, _ in owed}
    for name, since, until in simulation.operator_log.pauses():
        results.count_occasions(
            "P3 pause",
            sum(
                campaign == name and since.timestamp() <= base_s < until.timestamp()
                for _, campaign, base_s in owed
            ),
        )
        for contact in contacts:
            if campaigns.get(contact.action_id) == name and since < contact.at < until:
                results.add_violation(
                    "P3 pause",
                    f"{contact.kind} {contact.sid} to {contact.number} at {contact.at}, {name} was paused "
                    f"since {since}",
                    contact.sid,
                    contact.number,
                )


def _judge_hours(contact: Contact, settings: Settings, slack: timedelta, results: PromiseResults) -> None:
    quiet, campaign = settings.policy.promotional_hours, contact.campaign
    checked_at = (contact.daemon_time, contact.daemon_time - slack)
    if contact.is_promotional:
        every_day = WeeklyWindow(frozenset(range(7)), quiet.start, quiet.end)
        awake = BusinessHours((every_day,), Holidays(None, frozenset()), settings.timezone)
        results.check(
            "P3 hours",
            any(awake.is_open(at) for at in checked_at),
            f"promotional {contact.kind} {contact.sid} left in quiet hours, at {contact.daemon_time}",
            contact.sid,
        )
    if contact.agent is not None and contact.agent.hours is not None:
        results.check(
            "P3 hours",
            any(contact.agent.is_on_duty(at) for at in checked_at),
            f"callback {contact.sid} rang {contact.agent.number}, who is not on duty, at "
            f"{contact.daemon_time}",
            contact.sid,
        )
    if campaign is not None and campaign.hours is not None:
        if campaign.after_hours.callback is AfterHoursCallback.SAME:
            return
        results.check(
            "P3 hours",
            any(campaign.hours.is_open(at) for at in checked_at),
            f"callback {contact.sid} left while {campaign.name} was closed, at {contact.daemon_time}",
            contact.sid,
        )


def _judge_caps(contacts: list[Contact], slack: timedelta, results: PromiseResults) -> None:
    called: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    limits: dict[str, int] = {}
    for contact in contacts:
        campaign = contact.campaign
        # A call that only rang an agent never reached the caller, so it does not count.
        if campaign is not None and campaign.callback is not None and not contact.is_agent_miss:
            called[contact.number, campaign.name].append(contact.daemon_time)
            limits[campaign.name] = campaign.callback.max_per_hour
    for (number, name), instants in called.items():
        most = max_in_window(instants, HOUR - slack)
        if most >= limits[name]:
            results.check(
                "P3 cap",
                most <= limits[name],
                f"{number} was called {most} times in an hour by {name}, which allows {limits[name]}: "
                + ", ".join(map(str, sorted(instants))),
                number,
            )


def _judge_rate_limits(
    simulation: Simulation, settings: Settings, slack: timedelta, results: PromiseResults
) -> None:
    """After a crash the daemon only knows when it claimed; on a slow disk the request left later."""
    requests, exotel = simulation.exchange.ground_truth.api_requests, settings.exotel
    for name, asked, limit in (
        ("voice", (each.at for each in requests if each.is_voice), exotel.calls_per_minute),
        ("SMS", (each.at for each in requests if each.target == "sms"), exotel.sms_per_minute),
    ):
        most = max_in_window(asked, MINUTE - slack)
        if most:
            results.check(
                "P3 budget", most <= limit, f"{most} {name} requests in a minute, the account allows {limit}"
            )
