"""A term begins: recovers what a stop or a crash left, and compares the timers in memory with the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Final

from missedd.base.clock import Clock
from missedd.config.loader import Settings
from missedd.core.admission.catch_up_window import Watermark
from missedd.core.contact_countries import describe_excluded, suggested_config_line
from missedd.core.model import Lane
from missedd.core.policy import Policy
from missedd.engine.leadership.term import Term
from missedd.engine.provider.rate_limiter import WINDOW_S, RateLimiter
from missedd.engine.timing.timers import Timers
from missedd.log.logger import Event, Logger
from missedd.store.actions.agent_misses import delete_misses_of_others
from missedd.store.actions.attempts import recover_in_flight, repair_missing_timers
from missedd.store.actions.concurrent_calls import wake_all_waiting_callbacks
from missedd.store.actions.provider_holds import release_lane
from missedd.store.actions.quarantine import quarantine
from missedd.store.actions.timers import count_timers, has_calls, recent_attempt_times
from missedd.store.admission.catch_up import load_watermark
from missedd.store.people.excluded_callers import delete_notice, is_notice_pending, load_excluded_callers
from missedd.store.polls.rule_changes import recount_changed_polls
from missedd.store.store import Store

MAX_CLOCK_DIFFERENCE: Final = timedelta(seconds=4)
"""Two nodes that may lead differ by at most 2 s from the database's clock each."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the start read from disk, for the parts that continue from there."""

    cut_off_requests: int
    """Number of requests that had no result when the last run ended. Each is looked up."""
    lanes_in_doubt: frozenset[Lane]
    """Lanes that were held when the last run ended."""
    rate_limiters: Mapping[Lane, RateLimiter]
    watermark: Watermark | None
    """Until when the account's calls are known; None if catch-up is off."""


async def recover(store: Store, term: Term, settings: Settings, clock: Clock, log: Logger) -> Recovered:
    """Make the store ready for a new term, before any other part of the leader uses it.

    Raises `NotDurable` if the store cannot commit.
    """
    policy, exotel = settings.policy, settings.exotel
    cut_off_requests, lanes_in_doubt = await recover_actions(store, policy, clock, log)
    await recount_polls(store, policy, log)
    await warn_left_out(store, policy, clock, log)
    load = partial(load_watermark, now=clock.now())
    return Recovered(
        cut_off_requests=cut_off_requests,
        lanes_in_doubt=lanes_in_doubt,
        watermark=await store.write(load) if exotel.catch_up else None,
        rate_limiters={
            Lane.VOICE: await load_rate_limiter(store, term, Lane.VOICE, exotel.calls_per_minute, clock),
            Lane.SMS: await load_rate_limiter(store, term, Lane.SMS, exotel.sms_per_minute, clock),
        },
    )


async def recover_actions(
    store: Store, policy: Policy, clock: Clock, log: Logger
) -> tuple[int, frozenset[Lane]]:
    """Give every open action a timer again.

    Returns the number of requests without a result, and the lanes that were held.
    """
    rescued = await store.write(partial(recover_in_flight, now=clock.now()), offload=True)
    await store.write(partial(wake_all_waiting_callbacks, now=clock.now()))
    await store.write(partial(delete_misses_of_others, agents=policy.agent_numbers()))
    in_doubt = {
        lane for lane in (Lane.VOICE, Lane.SMS) if await store.write(partial(release_lane, lane=lane))
    }
    without_timer = await store.write(partial(repair_missing_timers, now=clock.now()), offload=True)
    if without_timer:
        log.error(Event.STORE_MENDED, actions=without_timer, why="these open actions had no timer")
    quarantined = await store.read(quarantine)
    if quarantined.since is not None:
        log.warning(
            Event.STORE_QUARANTINED,
            since=quarantined.since,
            actions=quarantined.actions,
            why="restored from a backup; `missedd release` releases the actions of earlier calls",
        )
    return rescued, frozenset(in_doubt)


async def recount_polls(store: Store, policy: Policy, log: Logger) -> None:
    """Recount the polls whose rules have changed, before the first vote under the new rules."""
    for recount in await store.write(partial(recount_changed_polls, policy=policy), offload=True):
        if recount.votes:
            log.warning(
                Event.POLL_RECOUNTED,
                poll=recount.poll,
                votes=recount.votes,
                changed=recount.changed,
                total=recount.total,
                why="its rules in the configuration have changed",
            )


async def warn_left_out(store: Store, policy: Policy, clock: Clock, log: Logger) -> None:
    """Log, at the first start after an upgrade, which recent callers are not contacted any more."""
    if not await store.read(is_notice_pending):
        return
    excluded = await store.read(partial(load_excluded_callers, policy=policy, now=clock.now()))
    for name, group in groupby(excluded, attrgetter("campaign")):
        callers = list(group)
        campaign = policy.campaign(name)
        if campaign is None:
            raise AssertionError("the query returns callers of configured campaigns only")
        log.warning(
            Event.CALLERS_LEFT_OUT,
            campaign=name,
            callers=describe_excluded(callers),
            why="called in the last 30 days from a country that gets no callbacks and no SMS; "
            "[campaign.contact] "
            f"{suggested_config_line(campaign.countries, campaign.exophones, callers)} allows it",
        )
    await store.write(delete_notice)


async def load_timers(timers: Timers, store: Store, term: Term) -> None:
    """Load the timers within the horizon, and compare their number with the disk.

    No other part of the leader may run yet. Raises `AssertionError` if the numbers differ. On a shared
    database other nodes commit meanwhile, so there nothing is compared.
    """
    await timers.load()
    if term.is_shared:
        return
    on_disk = await store.read(partial(count_timers, until_us=timers.loaded_until_us))
    if on_disk != len(timers):
        raise AssertionError(f"{len(timers)} timers in memory, {on_disk} due rows on disk")


async def load_rate_limiter(
    store: Store, term: Term, lane: Lane, per_minute: int, clock: Clock
) -> RateLimiter:
    """A rate limiter that remembers the requests made just before this term.

    On a shared database the node that made them had another clock, and its last requests may have left no
    record yet. So they count as later than recorded, and every other slot counts as used.
    """
    now = clock.now() - MAX_CLOCK_DIFFERENCE if term.is_shared else clock.now()
    spent = await store.read(partial(recent_attempt_times, lane=lane, now=now))
    # A request in the future (the clock was set back since) counts as made just now.
    ago_s = [max(0.0, (now - at).total_seconds()) for at in spent]
    if (lane is Lane.VOICE or term.is_shared) and await store.read(has_calls):
        # Lookups use the voice lane's rate limit too and leave no record. So count every slot without a
        # record as used, evenly spread. Then there is no burst for a minute, and no call waits for long.
        ago_s += [index * WINDOW_S / per_minute for index in range(per_minute - len(ago_s))]
    return RateLimiter(per_minute, ago_s, term.wait_until_trusted if term.is_shared else None)
