"""Reconciliation: finds out what happened to requests whose answer or status report never arrived.

If an answer is lost, the call is looked up in the provider's list first; the request is never simply sent
again. If a placed call or SMS gets no status report, it is looked up by its id. Lookups use the same rate
limit as calls and SMS.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import trio

from missedd.base.clock import Clock, to_us
from missedd.core.actions.backoff import FIRST_BACKOFF_S, is_early_lookup
from missedd.core.model import Kind, Lane, State, StatusReport
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import Timers
from missedd.exotel.client import CallRecord, ExotelClient, Unavailable
from missedd.log.logger import Event, Logger
from missedd.store.actions.lookups import adopt_found_call, claimed_sids, record_failed_lookup
from missedd.store.actions.rows import ActionRow, Timer, caller_id_of, fetch_actions
from missedd.store.db.database import NotDurable
from missedd.store.db.lock_keys import LockKeys
from missedd.store.store import Store

CLOCK_SKEW: Final = timedelta(minutes=2)
"""The largest difference between the provider's clock and ours. Our call is this near to its attempt."""

STORE_RETRY_S: Final = 1.0

UNAVAILABLE_WAIT_S: Final = 30.0
"""How long to wait after a lookup that the provider did not answer."""

MAX_LOOKUP_AGE: Final = timedelta(days=1)
"""How long an action waits for a provider that answers no lookup at all. After a day lookups stop, and a
person has to find out the outcome."""


class Reconciler:
    """Looks up the actions in the lookup queue, one after the other."""

    def __init__(
        self,
        *,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        client: ExotelClient,
        rate_limiters: Mapping[Lane, RateLimiter],
        due_queue: DueQueue,
        timers: Timers,
        status_reports: StatusReports,
        breakers: CircuitBreakers,
    ) -> None:
        self._store = store
        self._policy = policy
        # Early lookups, made because a person waits for the outcome, get a quarter of the rate limit.
        self._early_lookup_limiter = RateLimiter(max(1, rate_limiters[Lane.VOICE].per_minute // 4))
        self._clock = clock
        self._log = log
        self._client = client
        self._rate_limiters = rate_limiters
        self._due_queue = due_queue
        self._timers = timers
        self._status_reports = status_reports
        self._breakers = breakers

    async def run(self) -> None:
        """Look up one action at a time, for ever. The rate limit is the bound, not the requests in flight."""
        while True:
            await self._due_queue.wait()
            ((due_us, action_id),) = self._due_queue.take(1)
            try:
                await self._check_action(action_id)
                self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "look-up")
            except NotDurable as failure:
                self._log.log_throttled(
                    "error", Event.STORE_COMMIT_FAILED, "look-up", unit="look-up", error=str(failure)
                )
                await trio.sleep(STORE_RETRY_S)
                self._due_queue.add(due_us, action_id)

    async def _check_action(self, action_id: int) -> None:
        (action,) = await self._store.read(partial(fetch_actions, ids=[action_id]))
        now = self._clock.now()
        if action.wake_at is not None and action.wake_at > now:
            # The action was moved, or the wall clock was set back since.
            self._timers.add([Timer(to_us(action.wake_at), action_id, Lane.LOOKUP)])
            return
        if is_early_lookup(action.state, action.kind, action.lookup_count, action.placed_at or now, now):
            if (wait_s := self._early_lookup_limiter.wait_s) > 0:
                self._timers.add([Timer(to_us(now) + int(wait_s * 1e6) + 1, action_id, Lane.LOOKUP)])
                return
            await self._early_lookup_limiter.acquire()
        if action.state is State.ATTEMPTING:
            await self._recover_lost_answer(action)
        elif action.state is State.PLACED:
            await self._check_placed(action)
        # In any other state, a report has settled the action since the timer was set.

    async def _recover_lost_answer(self, action: ActionRow) -> None:
        """Find the call behind a lost answer. An SMS can only wait for its status report."""
        if action.provider_sid is not None:
            # A status report that was not final has named the call meanwhile.
            await self._adopt_call(action, action.provider_sid)
            return
        if action.kind is Kind.CALLBACK:
            record = await self._find_call(action)
            if isinstance(record, Unavailable):
                await self._handle_unavailable(action, record, Lane.VOICE)
                return
            if record is not None:
                await self._adopt_call(action, record.sid)
                if record.report.is_terminal:
                    await self._status_reports.apply(action.id, action.kind, record.report, "look-up")
                return
        await self._record_failed_lookup(action)

    async def _adopt_call(self, action: ActionRow, provider_sid: str) -> None:
        now = self._clock.now()
        timer = await self._store.write(
            partial(
                adopt_found_call, action_id=action.id, provider_sid=provider_sid, policy=self._policy, now=now
            ),
            locks=LockKeys.of(action.number, provider_sid),
        )
        if timer is None:
            return  # the call's report was faster
        self._timers.add([timer])
        self._log.info(
            Event.ACTION_FOUND,
            action=action.id,
            kind=action.kind,
            campaign=action.campaign,
            provider_sid=provider_sid,
        )

    async def _find_call(self, action: ActionRow) -> CallRecord | Unavailable | None:
        """The call in the provider's list that can only be this attempt's; None if there is none."""
        placed_at = action.placed_at or action.due_at
        # With agents the first leg may be the agent's, so search for both numbers.
        numbers = tuple(each for each in (action.number, action.details.get("agent")) if each)
        async with self._breakers.lookup_turn(Lane.VOICE) as is_probe:
            since, until = placed_at - CLOCK_SKEW, self._search_until(placed_at)
            records = await self._client.find_calls(
                numbers=numbers,
                since=since,
                until=until,
                acquire_turn=self._rate_limiters[Lane.VOICE].acquire,
            )
            if is_probe:
                self._breakers.record_lookup(Lane.VOICE, records)
        if isinstance(records, Unavailable):
            return records
        ours = [
            record
            for record in records
            # Exotel's filter may match more than was asked for.
            if self._matches(record, action)
            and (record.created_at is None or since <= record.created_at <= until)
        ]
        taken = await self._store.read(
            partial(claimed_sids, sids=[each.sid for each in ours], except_action_id=action.id)
        )
        free = [each for each in ours if each.sid not in taken]
        # If there are several, take the nearest: another may belong to a later attempt with a lost answer.
        return min(
            free, key=lambda each: (abs((each.created_at or until) - placed_at), each.sid), default=None
        )

    def _search_until(self, placed_at: datetime) -> datetime:
        return max(self._clock.now(), placed_at) + CLOCK_SKEW

    def _matches(self, record: CallRecord, action: ActionRow) -> bool:
        people = {record.from_number, record.to_number}
        agent = action.details.get("agent")
        # A call into a flow names its ExoPhone in `To` as well. An ExoPhone that can't be read
        # proves nothing, so the call may still be ours.
        exophone = record.exophone or (record.to_number if agent is None else None)
        is_ours = exophone in (None, caller_id_of(action))
        return (
            record.direction.startswith("outbound")
            and {action.number, agent or action.number} <= people
            and is_ours
        )

    async def _check_placed(self, action: ActionRow) -> None:
        lane = Lane.VOICE if action.kind is Kind.CALLBACK else Lane.SMS
        report = await self._fetch_details(action, lane)
        if isinstance(report, Unavailable):
            await self._handle_unavailable(action, report, lane)
            return
        if report is not None and report.is_terminal:
            applied = await self._status_reports.apply(action.id, action.kind, report, "look-up")
            if applied.outcome is not None:
                return
        await self._record_failed_lookup(action)

    async def _fetch_details(self, action: ActionRow, lane: Lane) -> StatusReport | Unavailable | None:
        if action.provider_sid is None:
            return None
        look = self._client.call_details if lane is Lane.VOICE else self._client.sms_details
        async with self._breakers.lookup_turn(lane) as is_probe:
            await self._rate_limiters[lane].acquire()
            report = await look(action.provider_sid)
            if is_probe:
                self._breakers.record_lookup(lane, report)
        if isinstance(report, Unavailable) and report.reason is Reason.NOT_FOUND:
            return None
        return report

    async def _handle_unavailable(self, action: ActionRow, unavailable: Unavailable, lane: Lane) -> None:
        """A lookup brought no result. If the provider answered, count a failed lookup; else wait and retry.

        Without an answer nothing is known about the action, so that lookup does not count. After
        `MAX_LOOKUP_AGE` it counts too.
        """
        if unavailable.reason is Reason.RATE_LIMITED:
            self._rate_limiters[lane].pause(unavailable.retry_after_s or FIRST_BACKOFF_S[Reason.RATE_LIMITED])
        now = self._clock.now()
        has_answered = unavailable.reason is Reason.PROVIDER_REFUSED or unavailable.code == "200"
        if has_answered or now - (action.placed_at or action.due_at) > MAX_LOOKUP_AGE:
            await self._record_failed_lookup(action)
            return
        self._timers.add([Timer(to_us(now) + int(UNAVAILABLE_WAIT_S * 1_000_000), action.id, Lane.LOOKUP)])
        # Other actions that wait for a lookup would get the same answer.
        await trio.sleep(UNAVAILABLE_WAIT_S)

    async def _record_failed_lookup(self, action: ActionRow) -> None:
        unit = partial(record_failed_lookup, action_id=action.id, policy=self._policy, now=self._clock.now())
        lookup = await self._store.write(unit, locks=LockKeys.of(action.number))
        self._timers.add(lookup.timers)
        if lookup.expired_reason is not None:
            self._log.error(
                Event.ACTION_CLOSED,
                action=action.id,
                kind=action.kind,
                campaign=action.campaign,
                outcome="unknown",
                reason=Reason(lookup.expired_reason),
            )
