"""P3 held against what a number itself says: its country, and what was refused for it before.

Both ways: nobody is contacted whom that leaves out, and nobody is left out whom it lets pass.
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
    for each in contacts:
        name, exophone = owed.get(each.action_id, ("", ""))
        campaign = settings.policy.campaign(name)
        if campaign is None or campaign.countries == frozenset({"any"}):
            continue
        allowed = campaign.countries or {country_of(exophone)}
        if country_of(each.number) not in allowed:
            results.add_violation(
                "P3 country",
                f"{each.kind} {each.sid} to {each.number}, which is not of {sorted(map(str, allowed))}",
                each.sid,
                each.number,
            )


def country_of(number: str) -> str | None:
    """By the library itself, and not by what the daemon makes of it."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(number))


async def judge_refused_numbers(
    simulation: Simulation,
    settings: Settings,
    contacts: list[Contact],
    observer: StoreObserver,
    results: PromiseResults,
) -> None:
    """What was refused for a number is not tried again, and what was not refused is."""
    ((refused,),) = await observer.rows(
        """SELECT (SELECT count(*) FROM calls WHERE reason = 'caller-suppressed')
                + (SELECT count(*) FROM actions WHERE reason IN ('suppressed-since', 'refuses-sms',
                       'takes-no-sms', 'do-not-disturb'))"""
    )
    results.count_occasions("P3 suppression", refused)
    if simulation.clock.was_stepped:
        return  # by the daemon's clock before and after can't be told apart
    rows = await observer.rows(
        """SELECT number, channel, class, sender, since_at / 1e6, coalesce(until_at, 1e18) / 1e6
           FROM suppressions WHERE source = 'provider'"""
    )
    texts = await _sms_policies(settings, observer)
    for number, channel, of, sender, since_s, until_s in rows:
        for each in contacts:
            if each.number != number or not since_s < each.at.timestamp() < until_s:
                continue
            sms = texts.get(each.action_id)
            if each.kind == "sms" and sms is not None and channel == "sms":
                is_covered = _is_covered(of, sender, *sms)
            else:
                is_covered = each.kind == "callback" and channel == "calls"
            if is_covered:
                results.add_violation(
                    "P3 suppression",
                    f"{each.kind} {each.sid} to {number}, which refuses it ({channel} {of} {sender})",
                    each.sid,
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
    """An SMS that was dropped as refused is of a class or a sender that was refused."""
    lifted = {number for number, _, _ in simulation.operator_log.suppressions()}
    for action_id, number in await observer.rows(
        "SELECT id, number FROM actions WHERE kind = 'sms' AND reason = 'refuses-sms' ORDER BY id"
    ):
        if number in lifted:
            continue  # what stood against it may have been taken away again
        sms = texts[str(action_id)]
        results.check(
            "P3 suppression",
            any(
                channel == "sms" and _is_covered(of, sender, *sms)
                for barred, channel, of, sender, _, _ in rows
                if barred == number
            ),
            f"action {action_id} was dropped, and nothing bars such an SMS to {number}",
            f"action {action_id}",
            number,
        )


async def _judge_refused_calls(
    contacts: list[Contact], observer: StoreObserver, results: PromiseResults
) -> None:
    """After the register refused a call, none goes to that number before it has rung."""
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
        for each in contacts:
            at_s = each.at.timestamp()
            if each.kind != "callback" or each.number != number or at_s <= refused_s:
                continue
            has_rung = any(
                caller == number and called_s >= refused_s - 1 and received_s <= at_s
                for caller, called_s, received_s in rang
            )
            results.check(
                "P3 suppression",
                has_rung or at_s > refused_s + MONTH.total_seconds(),
                f"callback {each.sid} to {number}, which the register refuses and which has not rung since",
                each.sid,
                number,
            )


async def _sms_policies(settings: Settings, observer: StoreObserver) -> dict[str, tuple[SmsPolicy, bool]]:
    """Of each SMS owed, what its campaign says of it, and whether it confirms an opting out."""
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
