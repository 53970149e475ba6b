"""P9 of the polls: every vote and each tally against a count of ours, from the raw calls.

Counted here in the plainest way, with nothing of the daemon's own rules: the configuration says
which campaign's calls vote for what, the calls say who rang when.
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
"""Option and standing of each vote, by CallSid."""


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
            told, counted = kept.get(sid), expected.get(sid)
            results.check("P9 figures", told == counted, f"vote {sid}: kept {told}, counted {counted}", sid)
        if expected:
            await _judge_poll_totals(simulation, poll.name, expected, results)


async def _judge_poll_totals(
    simulation: Simulation, poll: str, expected: VoteStatuses, results: PromiseResults
) -> None:
    told = await simulation.host.request_json("GET", f"/api/v1/polls/{poll}")
    counts = Counter(expected.values())
    for option in sorted(
        {option for option, _ in expected.values()} | {each["option"] for each in told["options"]}
    ):
        votes = sum(each["votes"] for each in told["options"] if each["option"] == option)
        counted = counts[option, "counted"]
        results.check(
            "P9 figures", votes == counted, f"poll {poll}: {votes} told for {option}, counted {counted}"
        )
    standings = Counter(standing for _, standing in expected.values())
    refused = {each: standings[each] for each in UNCOUNTED_STATUSES}
    if FOREIGN in standings or FOREIGN in told["refused"]:
        refused[FOREIGN] = standings[FOREIGN]
    results.check(
        "P9 figures",
        (told["total"], told["refused"]) == (standings["counted"], refused),
        f"poll {poll}: told {told['total']}, {told['refused']}; counted {dict(standings)}",
    )


async def _recount_votes(settings: Settings, observer: StoreObserver, poll: Any) -> VoteStatuses:
    option_of = {
        each.name: each.vote.option
        for each in settings.policy.campaigns
        if each.vote and each.vote.poll == poll.name
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
