"""P9 for polls: every vote and every total equals a recount from the raw calls.

The recount uses none of the daemon's code: the configuration says which campaign votes for which option,
and the calls say who called when.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from missedd.base.clock import from_us
from missedd.config.loader import Settings
from simulator.harness.scenario_run import Simulation
from simulator.invariants.number_rules import country_of
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

VOTING_VERDICTS = ("accepted", "duplicate", "suppressed")
UNCOUNTED_STATUSES = ("surplus", "replaced", "early", "late")
FOREIGN = "foreign"

type VoteStatuses = dict[str, tuple[str, str]]
"""By CallSid: option and standing of each vote."""


async def judge_polls(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    for poll in settings.policy.polls:
        expected = await _recount_votes(settings, observer, poll)
        kept: VoteStatuses = {
            sid: (option, standing)
            for sid, option, standing in await observer.rows(
                "SELECT call_sid, option, standing FROM votes WHERE poll = ? ORDER BY call_sid", poll.name
            )
        }
        for sid in sorted(expected.keys() | kept.keys()):
            stored, counted = kept.get(sid), expected.get(sid)
            results.check(
                "P9 figures", stored == counted, f"vote {sid}: kept {stored}, counted {counted}", sid
            )
        if expected:
            await _judge_poll_totals(simulation, poll.name, expected, results)


async def _judge_poll_totals(
    simulation: Simulation, poll: str, expected: VoteStatuses, results: PromiseResults
) -> None:
    reported = await simulation.daemons.request_json("GET", f"/api/v1/polls/{poll}")
    counts = Counter(expected.values())
    for option in sorted(
        {option for option, _ in expected.values()} | {entry["option"] for entry in reported["options"]}
    ):
        votes = sum(entry["votes"] for entry in reported["options"] if entry["option"] == option)
        counted = counts[option, "counted"]
        results.check(
            "P9 figures", votes == counted, f"poll {poll}: {votes} reported for {option}, counted {counted}"
        )
    standings = Counter(standing for _, standing in expected.values())
    refused = {standing: standings[standing] for standing in UNCOUNTED_STATUSES}
    if FOREIGN in standings or FOREIGN in reported["refused"]:
        refused[FOREIGN] = standings[FOREIGN]
    results.check(
        "P9 figures",
        (reported["total"], reported["refused"]) == (standings["counted"], refused),
        f"poll {poll}: reported {reported['total']}, {reported['refused']}; counted {dict(standings)}",
    )


async def _recount_votes(settings: Settings, observer: StoreObserver, poll: Any) -> VoteStatuses:
    option_of = {
        campaign.name: campaign.vote.option
        for campaign in settings.policy.campaigns
        if campaign.vote and campaign.vote.poll == poll.name
    }
    found: VoteStatuses = {}
    timely: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for caller, called_us, sid, campaign, verdict in await observer.rows(
        "SELECT caller, called_at, call_sid, campaign, verdict FROM calls ORDER BY id"
    ):
        if campaign not in option_of or verdict not in VOTING_VERDICTS:
            continue
        at, option = from_us(called_us), option_of[campaign]
        if poll.opens_at and at < poll.opens_at:
            found[sid] = (option, "early")
        elif poll.closes_at and at >= poll.closes_at:
            found[sid] = (option, "late")
        elif poll.countries is not None and country_of(caller) not in poll.countries:
            found[sid] = (option, FOREIGN)
        else:
            found[sid] = (option, "surplus" if poll.keep == "first" else "replaced")
            timely[caller].append((called_us, sid))
    for votes in timely.values():
        votes.sort(reverse=poll.keep == "last")
        for _, sid in votes[: poll.votes_per_number]:
            found[sid] = (found[sid][0], "counted")
    return found
