"""The start: what a stop or a crash left behind is taken up, and memory is held against the disk."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from operator import attrgetter

from missedd.base.clock import Clock
from missedd.core.contact_countries import describe_excluded, suggested_config_line
from missedd.core.model import Lane
from missedd.core.policy import Policy
from missedd.engine.timing.timers import Timers
from missedd.log.logger import Event, Logger
from missedd.store.actions.agent_misses import delete_misses_of_others
from missedd.store.actions.attempts import recover_in_flight, repair_missing_timers
from missedd.store.actions.concurrent_calls import wake_all_waiting_callbacks
from missedd.store.actions.provider_holds import release_lane
from missedd.store.actions.quarantine import quarantine
from missedd.store.actions.timers import count_timers
from missedd.store.backup.upgrade_copy import COPY_RETENTION, delete_old_copies
from missedd.store.people.excluded_callers import delete_notice, is_notice_pending, load_excluded_callers
from missedd.store.polls.rule_changes import recount_changed_polls
from missedd.store.store import Store


async def recover(store: Store, policy: Policy, clock: Clock, log: Logger) -> tuple[int, frozenset[Lane]]:
    """Make every open action one that will be woken for.

    Returns how many requests were cut off, and in which lanes actions had been held by the provider.
    Says in the log what an operator should know of the database before the first call comes in.
    """
    if store.upgrade_result is not None:
        log.info(
            Event.STORE_UPGRADED,
            from_version=store.upgrade_result.from_version,
            to_version=store.upgrade_result.to_version,
            seconds=round(store.upgrade_result.took_s, 3),
            copy=None if store.upgrade_result.copy is None else str(store.upgrade_result.copy),
        )
    for copy in delete_old_copies(store.path, clock.now()):
        log.info(Event.STORE_COPY_DROPPED, copy=str(copy), why=f"made over {COPY_RETENTION.days} days ago")
    if not store.is_checked:
        log.warning(Event.STORE_CHECKED, complete=False, why="the file is too large to be read at each start")
    rescued = await store.write(partial(recover_in_flight, now=clock.now()), offload=True)
    await store.write(partial(wake_all_waiting_callbacks, now=clock.now()))
    await store.write(partial(delete_misses_of_others, agents=policy.agent_numbers()))
    in_doubt = {
        lane for lane in (Lane.VOICE, Lane.SMS) if await store.write(partial(release_lane, lane=lane))
    }
    forgotten = await store.write(partial(repair_missing_timers, now=clock.now()), offload=True)
    if forgotten:
        log.error(Event.STORE_MENDED, actions=forgotten, why="open, and nothing would have woken for them")
    standing = await store.read(quarantine)
    if standing["since"] is not None:
        log.warning(
            Event.STORE_QUARANTINED,
            since=standing["since"],
            actions=standing["actions"],
            why="restored from a backup; `missedd release` lets what is owed for earlier calls go",
        )
    return rescued, frozenset(in_doubt)


async def recount_polls(store: Store, policy: Policy, log: Logger) -> None:
    """Count the polls again whose rules have changed, before anybody votes by the new ones."""
    for each in await store.write(partial(recount_changed_polls, policy=policy), offload=True):
        if each.votes:
            log.warning(
                Event.POLL_RECOUNTED,
                poll=each.poll,
                votes=each.votes,
                changed=each.changed,
                total=each.total,
                why="its rules in the configuration have changed",
            )


async def warn_left_out(store: Store, policy: Policy, clock: Clock, log: Logger) -> None:
    """Say at the first start after an upgrade which of the latest callers are not contacted any more."""
    if not await store.read(is_notice_pending):
        return
    found = await store.read(partial(load_excluded_callers, policy=policy, now=clock.now()))
    for name, missing in groupby(found, attrgetter("campaign")):
        missed = list(missing)
        campaign = policy.campaign(name)
        if campaign is None:
            raise AssertionError("only callers of campaigns of the configuration are looked for")
        log.warning(
            Event.CALLERS_LEFT_OUT,
            campaign=name,
            callers=describe_excluded(missed),
            why="rang in the last 30 days from a country that is neither called nor texted; "
            "[campaign.contact] "
            f"{suggested_config_line(campaign.countries, campaign.exophones, missed)} does",
        )
    await store.write(delete_notice)


async def load_timers(timers: Timers, store: Store) -> None:
    """Load what is due within the horizon, and hold it against the disk. Nothing else may run yet."""
    await timers.load()
    on_disk = await store.read(partial(count_timers, until_us=timers.loaded_until_us))
    if on_disk != len(timers):
        raise AssertionError(f"{len(timers)} timers in memory, {on_disk} due rows on disk")
