"""P3 for the number itself: its country, and earlier refusals by the provider.

Both directions are checked: no excluded number is contacted, and no allowed number is left out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import phonenumbers

from missedd.config.loader import Settings
from missedd.core.admission.gates import sms_policy
from missedd.core.model import Plan
from missedd.core.policy import MessageClass, SmsPolicy
from simulator.harness.scenario_run import Simulation
from simulator.invariants.contacts import Contact
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

MONTH = timedelta(days=30)


async def judge_countries(
    settings: Settings, contacts: list[Contact], observer: StoreObserver, results: PromiseResults
) -> None:
    owed = {
        str(action_id): (name, exophone)
        for action_id, name, exophone in await observer.rows(
            "SELECT id, campaign, exophone FROM actions WHERE kind IN ('callback', 'sms')"
        )
    }
    ((dropped,),) = await observer.rows("SELECT count(*) FROM actions WHERE reason = 'foreign-number'")
    results.count_occasions("P3 country", dropped)
    for contact in contacts:
        name, exophone = owed.get(contact.action_id, ("", ""))
        campaign = settings.policy.campaign(name)
        if campaign is None or campaign.countries == frozenset({"any"}):
            continue
        allowed = campaign.countries or {country_of(exophone)}
        if country_of(contact.number) not in allowed:
            results.add_violation(
                "P3 country",
                f"{contact.kind} {contact.sid} to {contact.number}, which is not of "
                f"{sorted(map(str, allowed))}",
                contact.sid,
                contact.number,
            )


def country_of(number: str) -> str | None:
    """The region of a number, directly from the phonenumbers library and not from the daemon's code."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(number))


async def judge_refused_numbers(
    simulation: Simulation,
    settings: Settings,
    contacts: list[Contact],
    observer: StoreObserver,
    results: PromiseResults,
) -> None:
    """A refused kind of contact is not tried again; a kind that was not refused still is."""
    ((refused,),) = await observer.rows(
        """SELECT (SELECT count(*) FROM calls WHERE reason = 'caller-suppressed')
                + (SELECT count(*) FROM actions WHERE reason IN ('suppressed-since', 'refuses-sms',
                       'takes-no-sms', 'do-not-disturb'))"""
    )
    results.count_occasions("P3 suppression", refused)
    if simulation.daemons.were_clocks_wrong:
        return  # after a clock step, before and after can't be told apart
    rows = await observer.rows(
        """SELECT number, channel, class, sender, since_at / 1e6, coalesce(until_at, 1e18) / 1e6
           FROM suppressions WHERE source = 'provider'"""
    )
    texts = await _sms_policies(settings, observer)
    for number, channel, message_class, sender, since_s, until_s in rows:
        for contact in contacts:
            if contact.number != number or not since_s < contact.at.timestamp() < until_s:
                continue
            sms = texts.get(contact.action_id)
            if contact.kind == "sms" and sms is not None and channel == "sms":
                is_covered = _is_covered(message_class, sender, *sms)
            else:
                is_covered = contact.kind == "callback" and channel == "calls"
            if is_covered:
                results.add_violation(
                    "P3 suppression",
                    f"{contact.kind} {contact.sid} to {number}, which refuses it "
                    f"({channel} {message_class} {sender})",
                    contact.sid,
                    number,
                )
    await _judge_dropped_sms(simulation, texts, rows, observer, results)
    await _judge_refused_calls(contacts, observer, results)


async def _judge_dropped_sms(
    simulation: Simulation,
    texts: dict[str, tuple[SmsPolicy, bool]],
    rows: list[tuple[Any, ...]],
    observer: StoreObserver,
    results: PromiseResults,
) -> None:
    """An SMS dropped with `refuses-sms` has a message class or a sender that the number refused."""
    lifted = {number for number, _, _ in simulation.operator_log.suppressions()}
    for action_id, number in await observer.rows(
        "SELECT id, number FROM actions WHERE kind = 'sms' AND reason = 'refuses-sms' ORDER BY id"
    ):
        if number in lifted:
            continue  # the refusal may have been lifted since
        sms = texts[str(action_id)]
        results.check(
            "P3 suppression",
            any(
                channel == "sms" and _is_covered(message_class, sender, *sms)
                for barred, channel, message_class, sender, _, _ in rows
                if barred == number
            ),
            f"action {action_id} was dropped, and nothing bars such an SMS to {number}",
            f"action {action_id}",
            number,
        )


async def _judge_refused_calls(
    contacts: list[Contact], observer: StoreObserver, results: PromiseResults
) -> None:
    """After the register refused a call, no callback goes out until the number calls again."""
    refusals = await observer.rows(
        """SELECT a.number, t.started_at / 1e6 FROM attempts t JOIN actions a ON a.id = t.action_id
           WHERE t.reason = 'do-not-disturb' AND a.kind = 'callback'"""
    )
    if not refusals:
        return
    rang = await observer.rows(
        """SELECT caller, called_at / 1e6, received_at / 1e6 FROM calls
           WHERE verdict IN ('accepted', 'duplicate', 'suppressed')"""
    )
    for number, refused_s in refusals:
        for contact in contacts:
            at_s = contact.at.timestamp()
            if contact.kind != "callback" or contact.number != number or at_s <= refused_s:
                continue
            has_rung = any(
                caller == number and called_s >= refused_s - 1 and received_s <= at_s
                for caller, called_s, received_s in rang
            )
            results.check(
                "P3 suppression",
                has_rung or at_s > refused_s + MONTH.total_seconds(),
                f"callback {contact.sid} to {number}, refused by the register, with no call from it since",
                contact.sid,
                number,
            )


async def _sms_policies(settings: Settings, observer: StoreObserver) -> dict[str, tuple[SmsPolicy, bool]]:
    """By action id of each SMS: its policy, and whether it confirms an opt-out."""
    found = {}
    for action_id, name, plan in await observer.rows(
        "SELECT id, campaign, plan FROM actions WHERE kind = 'sms'"
    ):
        campaign = settings.policy.campaign(name)
        sms = None if campaign is None else sms_policy(campaign, Plan(plan))
        if campaign is not None and sms is not None:
            found[str(action_id)] = sms, campaign.opts_callers_out
    return found


def _is_covered(message_class: str, sender: str, sms: SmsPolicy, is_confirmation: bool) -> bool:
    match message_class:
        case "promotional":
            return sms.message_class is MessageClass.PROMOTIONAL and not is_confirmation
        case "sender":
            return sms.sender == sender
    return True
