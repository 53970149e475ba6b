"""P3 held against every contact: whom, when and how often.

Hours and caps are the daemon's, by its own clock; budgets are the exchange's, in true time.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from missedd.config.loader import Settings
from missedd.core.business_hours import BusinessHours, Holidays, WeeklyWindow
from missedd.core.policy import AfterHoursCallback
from simulator.exchange.model.ground_truth import MINUTE, most_in_any
from simulator.harness.scenario_run import Stage
from simulator.invariants.contacts import Contact, contacts_of
from simulator.invariants.number_rules import keep_countries, keep_lessons
from simulator.invariants.observer import Witness
from simulator.invariants.promise_results import Tally

HOUR = timedelta(hours=1)


async def judge_contacts(stage: Stage, settings: Settings, witness: Witness, tally: Tally) -> None:
    contacts = await contacts_of(stage, settings, witness)
    # A claim is judged before its commit: on a slow disk its request leaves so much later, once
    # for the group that is being committed and once for its own.
    slack = 2 * timedelta(seconds=stage.host.disk.longest_stall_s)
    _keep_suppressions(stage, contacts, tally)
    await keep_lessons(stage, settings, contacts, witness, tally)
    await keep_countries(settings, contacts, witness, tally)
    await _keep_opt_outs(stage, contacts, slack, witness, tally)
    await _keep_pauses(stage, contacts, witness, tally)
    for each in contacts:
        _keep_hours(each, settings, slack, tally)
    _keep_caps(contacts, slack, tally)
    _keep_budgets(stage, settings, slack if stage.host.starts > 1 else timedelta(0), tally)


def _keep_suppressions(stage: Stage, contacts: list[Contact], tally: Tally) -> None:
    for number, since, until in stage.journal.suppressions():
        wrong = [each for each in contacts if each.number == number and since < each.at < until]
        for each in wrong:
            tally.breach(
                "P3 suppression",
                f"{each.kind} {each.sid} to {number} at {each.at}, suppressed since {since}",
                each.sid,
                number,
            )


async def _keep_opt_outs(
    stage: Stage, contacts: list[Contact], slack: timedelta, witness: Witness, tally: Tally
) -> None:
    """Who opted out is sent the confirmation of that very call, once, and nothing else."""
    if stage.clock.was_stepped:
        return  # as above
    rows = await witness.rows(
        "SELECT number, since_at / 1e6, call_id FROM suppressions WHERE source = 'opt-out'"
    )
    confirmations = {
        str(action_id): call_id
        for action_id, call_id in await witness.rows("SELECT id, call_id FROM actions WHERE kind = 'sms'")
    }
    for number, since_s, call_id in rows:
        later = [
            each
            for each in contacts
            if each.number == number and each.at.timestamp() > since_s + slack.total_seconds()
        ]
        confirming = [
            each for each in later if each.kind == "sms" and confirmations.get(each.action) == call_id
        ]
        tally.hold(
            "P3 suppression",
            len(confirming) <= 1,
            f"{number} was sent {len(confirming)} confirmations of one opting out",
            number,
        )
        for each in later:
            if each not in confirming:
                tally.breach(
                    "P3 suppression",
                    f"{each.kind} {each.sid} to {number} at {each.at}, who opted out before",
                    each.sid,
                    number,
                )


async def _keep_pauses(stage: Stage, contacts: list[Contact], witness: Witness, tally: Tally) -> None:
    if stage.clock.was_stepped:
        return  # a pause ends by the daemon's clock
    owed = await witness.rows(
        "SELECT id, campaign, base_at / 1e6 FROM actions WHERE kind IN ('callback', 'sms')"
    )
    campaigns = {str(action_id): campaign for action_id, campaign, _ in owed}
    for name, since, until in stage.journal.pauses():
        tally.reach(
            "P3 pause",
            sum(
                campaign == name and since.timestamp() <= base_s < until.timestamp()
                for _, campaign, base_s in owed
            ),
        )
        for each in contacts:
            if campaigns.get(each.action) == name and since < each.at < until:
                tally.breach(
                    "P3 pause",
                    f"{each.kind} {each.sid} to {each.number} at {each.at}, {name} was paused since {since}",
                    each.sid,
                    each.number,
                )


def _keep_hours(contact: Contact, settings: Settings, slack: timedelta, tally: Tally) -> None:
    quiet, campaign = settings.policy.quiet, contact.campaign
    asked_at = (contact.shown_at, contact.shown_at - slack)
    if contact.is_promotional:
        every_day = WeeklyWindow(frozenset(range(7)), quiet.start, quiet.end)
        awake = BusinessHours((every_day,), Holidays(None, frozenset()), settings.timezone)
        tally.hold(
            "P3 hours",
            any(awake.is_open(at) for at in asked_at),
            f"promotional {contact.kind} {contact.sid} left in quiet hours, at {contact.shown_at}",
            contact.sid,
        )
    if contact.agent is not None and contact.agent.hours is not None:
        tally.hold(
            "P3 hours",
            any(contact.agent.is_on_duty(at) for at in asked_at),
            f"callback {contact.sid} rang {contact.agent.number}, who is not on duty, at {contact.shown_at}",
            contact.sid,
        )
    if campaign is not None and campaign.hours is not None:
        if campaign.after_hours.callback is AfterHoursCallback.SAME:
            return
        tally.hold(
            "P3 hours",
            any(campaign.hours.is_open(at) for at in asked_at),
            f"callback {contact.sid} left while {campaign.name} was closed, at {contact.shown_at}",
            contact.sid,
        )


def _keep_caps(contacts: list[Contact], slack: timedelta, tally: Tally) -> None:
    called: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    limits: dict[str, int] = {}
    for each in contacts:
        # Of a call that only rang an agent the caller knows nothing.
        if each.campaign is not None and each.campaign.callback is not None and not each.is_agent_miss:
            called[each.number, each.campaign.name].append(each.shown_at)
            limits[each.campaign.name] = each.campaign.callback.max_per_hour
    for (number, name), instants in called.items():
        most = most_in_any(instants, HOUR - slack)
        if most >= limits[name]:
            tally.hold(
                "P3 cap",
                most <= limits[name],
                f"{number} was called {most} times in an hour by {name}, which allows {limits[name]}: "
                + ", ".join(map(str, sorted(instants))),
                number,
            )


def _keep_budgets(stage: Stage, settings: Settings, slack: timedelta, tally: Tally) -> None:
    """After a crash the daemon remembers when it claimed, which on a slow disk was before it asked."""
    requests, exotel = stage.exchange.truth.api_requests, settings.exotel
    for name, asked, limit in (
        ("voice", (each.at for each in requests if each.is_voice), exotel.calls_per_minute),
        ("SMS", (each.at for each in requests if each.target == "sms"), exotel.sms_per_minute),
    ):
        most = most_in_any(asked, MINUTE - slack)
        if most:
            tally.hold(
                "P3 budget", most <= limit, f"{most} {name} requests in a minute, the account allows {limit}"
            )
