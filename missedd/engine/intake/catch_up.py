"""Catch-up: finds calls without a webhook in the provider's list, and admits them.

Example: this machine is down for an hour. Exotel drops a webhook after two retries, so the callers of that
hour would be lost. Catch-up reads the list of incoming calls at the start, two minutes later, every ten
minutes, and soon after a webhook was refused. It continues at a watermark, and admits each unknown call
with its own time. From then on the call is like any other: a callback or SMS that is too old expires by
its `give_up_after`, votes count, leads are stored, webhooks are sent. The store decides by CallSid, so a
late webhook for the same call is a redelivery.

The list also shows conversations. If the caller of such a call still has a pending callback or SMS for
that call, because its webhook came too early or was lost, catch-up cancels that action.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

import trio

from missedd.base.clock import Clock, to_iso
from missedd.core.actions.backoff import FIRST_BACKOFF_S
from missedd.core.admission.catch_up_window import (
    WEBHOOK_GRACE,
    TimeRange,
    Watermark,
    next_covered_until,
    next_range,
)
from missedd.core.model import InboundCall, Lane, Verdict
from missedd.core.policy import Policy
from missedd.core.reasons import ACCOUNT_REFUSALS, Reason
from missedd.engine.intake.catch_up_trigger import CatchUpTrigger
from missedd.engine.intake.intake import Overloaded
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.call_list import PageQuery
from missedd.exotel.client import ExotelClient, Unavailable
from missedd.exotel.incoming_call_record import ListedCall
from missedd.log.logger import Event, Logger
from missedd.store.admission.caller_id_campaign import attribute_returned_calls
from missedd.store.admission.catch_up import advance_watermark, sids_with_pending_contact, unknown_call_sids
from missedd.store.db.database import NotDurable
from missedd.store.db.lock_keys import NO_LOCKS
from missedd.store.store import Store

FIRST_ROUND_AFTER_S: Final = 5.0
"""Actions that became due while the daemon was down are sent first."""

SECOND_ROUND_AFTER_S: Final = WEBHOOK_GRACE.total_seconds()
"""After the first round: calls of the last two minutes before a stop were too recent for it."""

ROUND_EVERY_S: Final = 600.0
"""How soon a webhook that does not work is noticed. It costs one request in ten minutes."""

ROUND_RETRY_S: Final = 120.0
"""How long to wait after a round that failed at the provider or at the store."""

BUDGET_SHARE: Final = 10
"""At most one voice request in this many is for the list, as callbacks come first."""

MAX_ROUND_PAGES: Final = 10_000
"""A million calls in one round. A longer list is a fault of the provider: it would never end."""

TRANSIENT_REASONS: Final = frozenset({Reason.CONNECTION_FAILED, Reason.RATE_LIMITED, Reason.REPLY_LOST})
"""Failures that pass by themselves. All others need a person."""

type Admit = Callable[[Sequence[InboundCall]], Awaitable[list[Verdict | Exception]]]


@dataclass(slots=True)
class _CatchUpRound:
    """One reading of the list: the time range to cover, and the result so far."""

    time_range: TimeRange
    recovered: list[InboundCall] = field(default_factory=list)
    oldest_unfinished_at: datetime | None = None
    latest_called_at: datetime | None = None
    is_in_order: bool = True
    """Whether the list came oldest first, as requested. Only then do its first pages cover a time range."""
    request_count: int = 0

    def record_seen(self, called_at: datetime) -> None:
        if self.latest_called_at is not None and called_at < self.latest_called_at:
            self.is_in_order = False
        self.latest_called_at = (
            called_at if self.latest_called_at is None else max(self.latest_called_at, called_at)
        )

    def leave_unfinished(self, called_at: datetime) -> None:
        """Leave a call that is still in progress for a later round."""
        if self.oldest_unfinished_at is None or called_at < self.oldest_unfinished_at:
            self.oldest_unfinished_at = called_at


class _ProviderUnavailable(Exception):
    """The provider gave no list. The next round continues at the watermark."""

    def __init__(self, unavailable: Unavailable) -> None:
        super().__init__(unavailable.code)
        self.unavailable = unavailable


class CatchUp:
    """Reads the provider's list of incoming calls in rounds, and admits the unknown ones."""

    def __init__(
        self,
        *,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        client: ExotelClient,
        rate_limiter: RateLimiter,
        admit: Admit,
        trigger: CatchUpTrigger,
        breakers: CircuitBreakers,
    ) -> None:
        """`rate_limiter` is the voice lane's; `admit` decides calls durably, in their order."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._client = client
        self._rate_limiter = rate_limiter
        self._admit = admit
        self._trigger = trigger
        self._breakers = breakers

    async def run(self, watermark: Watermark) -> None:
        """Read the list from `watermark` on, round after round, for ever."""
        wait_s, has_looked = FIRST_ROUND_AFTER_S, False
        while True:
            await self._trigger.wait(at_most_s=wait_s)
            try:
                known, watermark = watermark, await self._read_list(watermark)
                # A new database has no calls from before its start, so it needs no second round.
                wait_s = ROUND_EVERY_S if has_looked or watermark == known else SECOND_ROUND_AFTER_S
                has_looked = True
                for what in ("catch-up", "catch-up refused"):
                    self._log.reset_throttle(Event.LOOKUP_FAILED, what)
                self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "catch-up")
            except _ProviderUnavailable as failure:
                wait_s = self._wait_after_failure_s(failure.unavailable)
            except (NotDurable, Overloaded) as failure:
                self._log.log_throttled(
                    "error", Event.STORE_COMMIT_FAILED, "catch-up", unit="catch-up", error=str(failure)
                )
                wait_s = ROUND_RETRY_S

    def _wait_after_failure_s(self, unavailable: Unavailable) -> float:
        if unavailable.reason is Reason.RATE_LIMITED:
            self._rate_limiter.pause(unavailable.retry_after_s or FIRST_BACKOFF_S[Reason.RATE_LIMITED])
        fields = {"of": "incoming calls", "code": unavailable.code, "reason": unavailable.reason}
        if unavailable.reason in ACCOUNT_REFUSALS:
            self._log.log_throttled("error", Event.LOOKUP_FAILED, "catch-up refused", **fields)
        else:
            self._log.log_throttled("info", Event.LOOKUP_FAILED, "catch-up", **fields)
        # Do not ask again soon after a permanent refusal, such as from a provider without this list.
        return ROUND_RETRY_S if unavailable.reason in TRANSIENT_REASONS else ROUND_EVERY_S

    async def _read_list(self, watermark: Watermark) -> Watermark:
        """Read the list from the watermark until some minutes ago. Returns the new watermark."""
        time_range = next_range(watermark, self._clock.now())
        if time_range is None:
            return watermark
        this_round = _CatchUpRound(time_range)
        query: PageQuery | None = None
        known = frozenset[str]()
        try:
            for _ in range(MAX_ROUND_PAGES):
                await self._acquire_turn(this_round)
                page = await self._client.incoming_calls(time_range.since, time_range.until, query)
                if isinstance(page, Unavailable):
                    raise _ProviderUnavailable(page)
                await self._admit_page(page.calls, this_round)
                query, before = page.next_query, known
                known = frozenset(each.call.call_sid for each in page.calls)
                if query is None or known <= before:
                    return await self._advance_watermark(watermark, time_range, this_round)
                if this_round.is_in_order and this_round.latest_called_at is not None:
                    part = TimeRange(time_range.since, this_round.latest_called_at)
                    watermark = await self._advance_watermark(watermark, part, this_round)
            return watermark
        finally:
            self._log_round(this_round)

    async def _acquire_turn(self, this_round: _CatchUpRound) -> None:
        if this_round.request_count:
            await trio.sleep(BUDGET_SHARE * self._rate_limiter.spacing_s)
        this_round.request_count += 1
        await self._breakers.wait_until_reachable(Lane.VOICE)
        await self._rate_limiter.acquire()

    async def _admit_page(self, page: Sequence[ListedCall], this_round: _CatchUpRound) -> None:
        """Admit the page's unknown missed calls, and its conversations with callers who have open actions.

        Only calls to our own numbers, within the round's time range, are considered.
        """
        missed: dict[str, ListedCall] = {}
        conversations: dict[str, InboundCall] = {}
        for listed in page:
            call = listed.call
            if call.called_at is None or not this_round.time_range.contains(call.called_at):
                continue
            is_ours = any(map(self._policy.is_own_number, call.dialled))
            this_round.record_seen(call.called_at)
            if is_ours and call.not_missed is Reason.STILL_IN_PROGRESS:
                this_round.leave_unfinished(call.called_at)
            if is_ours and call.not_missed is None:
                missed[call.call_sid] = listed
            if is_ours and call.not_missed is Reason.CONVERSATION:
                conversations[call.call_sid] = call
        unknown_sids = await self._store.read(partial(unknown_call_sids, sids=list(missed)))
        calls = [
            each.call if each.has_details else await self._fetch_details(each.call, this_round)
            for sid, each in missed.items()
            if sid in unknown_sids
        ]
        calls = [each for each in calls if each.not_missed is None]
        if conversations:
            calls += [
                conversations[sid]
                for sid in await self._store.read(
                    partial(sids_with_pending_contact, sids=list(conversations))
                )
            ]
        # At a number that we only call from, keep only the calls of people whom we called from it.
        if self._policy.caller_ids:
            attributed = await self._store.read(
                partial(attribute_returned_calls, calls=calls, policy=self._policy)
            )
            calls = [each for each in attributed if self._policy.campaign_of_call(each)[0] is not None]
        if not calls:
            return
        for call, verdict in zip(calls, await self._admit(calls), strict=True):
            if isinstance(verdict, NotDurable | Overloaded):
                raise verdict  # the call may or may not be committed: repeat the round
            if isinstance(verdict, Exception):
                why = type(verdict).__name__
                self._log.log_throttled(
                    "error", Event.REQUEST_FAILED, why, call_sid=call.call_sid, exc_info=verdict
                )
            elif verdict not in (Verdict.REDELIVERED, Verdict.NOT_MISSED):  # otherwise its webhook was faster
                this_round.recovered.append(call)

    async def _fetch_details(self, call: InboundCall, this_round: _CatchUpRound) -> InboundCall:
        """Request Call Details, which say whether somebody talked to the caller; the list left that out."""
        await self._acquire_turn(this_round)
        details = await self._client.incoming_call(call.call_sid)
        if isinstance(details, Unavailable):
            if details.reason is Reason.NOT_FOUND:
                return call
            raise _ProviderUnavailable(details)
        if details.call.not_missed is Reason.STILL_IN_PROGRESS and call.called_at is not None:
            this_round.leave_unfinished(call.called_at)
        return replace(call, not_missed=details.call.not_missed, fields=details.call.fields)

    async def _advance_watermark(
        self, watermark: Watermark, time_range: TimeRange, this_round: _CatchUpRound
    ) -> Watermark:
        watermark = Watermark(
            watermark.responsible_since, next_covered_until(time_range, this_round.oldest_unfinished_at)
        )
        await self._store.write(partial(advance_watermark, watermark=watermark), locks=NO_LOCKS)
        return watermark

    def _log_round(self, this_round: _CatchUpRound) -> None:
        """Log one line a round if calls were recovered, so that an operator notices a broken webhook."""
        instants = sorted(each.called_at for each in this_round.recovered if each.called_at)
        if instants:
            self._log.warning(
                Event.WEBHOOKS_MISSING,
                recovered=len(this_round.recovered),
                first_called_at=to_iso(instants[0]),
                last_called_at=to_iso(instants[-1]),
            )
