"""Catch-up: calls that no webhook told of, found in the provider's list and served all the same.

Exotel gives a webhook up after two retries, so whoever rang while this machine was down, or while
its address was wrong, would be lost in silence. At the start, two minutes later, every ten minutes, and
soon after a webhook had to be refused, the list of incoming calls is read on from where it was left, and
what is unknown is admitted with its own time. From there on it is a call like any other: a callback or
an SMS that is too old expires by its `give_up_after`, votes count, leads are kept, the application
is told. The store decides by CallSid, so a webhook that comes after all is a redelivery.

The list also tells of conversations. One with a caller who is still owed something for that very call,
as its flow told of it too early or a webhook was lost, ends what is owed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

import trio

from missedd.base.clock import Clock, to_iso
from missedd.core.actions.backoff import FIRST_WAIT_S
from missedd.core.admission.catch_up_window import SETTLED, Mark, Stretch, covered_by, stretch_of
from missedd.core.model import InboundCall, Lane, Verdict
from missedd.core.policy import Policy
from missedd.core.reasons import REFUSES_ALL, Reason
from missedd.engine.intake.catch_up_trigger import Doubt
from missedd.engine.intake.intake import Overloaded
from missedd.engine.provider.lane_state import Upstream
from missedd.engine.provider.rate_limiter import Budget
from missedd.exotel.call_list import PageQuery
from missedd.exotel.client import ExotelClient, Unavailable
from missedd.exotel.incoming_call_record import Incoming
from missedd.log.logger import Event, Logger
from missedd.store.admission.caller_id_campaign import attributed
from missedd.store.admission.catch_up import cover, news, owing
from missedd.store.db.database import NotDurable
from missedd.store.store import Store

START_S: Final = 5.0
"""What became due while we were down goes out first."""

AGAIN_S: Final = SETTLED.total_seconds()
"""After the first look: who rang in the last two minutes before a stop was too young for it."""

EVERY_S: Final = 600.0
"""A webhook that does not work is noticed this soon, for one request in ten minutes when all is well."""

RETRY_S: Final = 120.0
"""How long to leave the provider, or the store, alone after a round that failed."""

SHARE: Final = 10
"""One request in so many of the voice budget, at most, is for the list: callbacks come first."""

MOST_PAGES: Final = 10_000
"""A million calls in a round: a list that goes on beyond that does not end."""

PASSING: Final = frozenset({Reason.CONNECTION_FAILED, Reason.RATE_LIMITED, Reason.REPLY_LOST})
"""Why a provider could not be asked just now; anything else needs somebody to mend it."""

type Admit = Callable[[Sequence[InboundCall]], Awaitable[list[Verdict | Exception]]]


@dataclass(slots=True)
class _Round:
    """One reading of the list: the stretch it is to cover, and what it has brought so far."""

    stretch: Stretch
    recovered: list[InboundCall] = field(default_factory=list)
    oldest_unfinished: datetime | None = None
    latest: datetime | None = None
    is_in_order: bool = True
    """Oldest first, as was asked for: only then is a part of the list a part of the time."""
    asked: int = 0

    def pass_by(self, called_at: datetime) -> None:
        if self.latest is not None and called_at < self.latest:
            self.is_in_order = False
        self.latest = called_at if self.latest is None else max(self.latest, called_at)

    def leave(self, called_at: datetime) -> None:
        """A call that goes on is left for another round."""
        if self.oldest_unfinished is None or called_at < self.oldest_unfinished:
            self.oldest_unfinished = called_at


class _NotTold(Exception):
    """The provider could not be asked; the next round goes on from the mark."""

    def __init__(self, found: Unavailable) -> None:
        super().__init__(found.code)
        self.found = found


class CatchUp:
    def __init__(
        self,
        *,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        client: ExotelClient,
        budget: Budget,
        admit: Admit,
        doubt: Doubt,
        upstream: Upstream,
    ) -> None:
        """`budget` is the voice budget; `admit` decides calls durably, in their order."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._client = client
        self._budget = budget
        self._admit = admit
        self._doubt = doubt
        self._upstream = upstream

    async def run(self, mark: Mark) -> None:
        """Read on from `mark`, the one that `begin` has put on record at this start."""
        wait_s, has_looked = START_S, False
        while True:
            await self._doubt.wait(at_most_s=wait_s)
            try:
                known, mark = mark, await self._read_on(mark)
                # A database that is new has nothing from before its start.
                wait_s = EVERY_S if has_looked or mark == known else AGAIN_S
                has_looked = True
                for what in ("catch-up", "catch-up refused"):
                    self._log.ended(Event.LOOKUP_FAILED, what)
                self._log.ended(Event.STORE_COMMIT_FAILED, "catch-up")
            except _NotTold as failure:
                wait_s = self._wait_after(failure.found)
            except (NotDurable, Overloaded) as failure:
                self._log.repeated(
                    "error", Event.STORE_COMMIT_FAILED, "catch-up", unit="catch-up", error=str(failure)
                )
                wait_s = RETRY_S

    def _wait_after(self, found: Unavailable) -> float:
        if found.reason is Reason.RATE_LIMITED:
            self._budget.pause(found.retry_after_s or FIRST_WAIT_S[Reason.RATE_LIMITED])
        fields = {"of": "incoming calls", "code": found.code, "reason": found.reason}
        if found.reason in REFUSES_ALL:
            self._log.repeated("error", Event.LOOKUP_FAILED, "catch-up refused", **fields)
        else:
            self._log.repeated("info", Event.LOOKUP_FAILED, "catch-up", **fields)
        # What was refused for good, as by a provider that has no such list, is not asked for soon.
        return RETRY_S if found.reason in PASSING else EVERY_S

    async def _read_on(self, mark: Mark) -> Mark:
        """Read the list from the mark until some minutes ago, and say how far that came."""
        stretch = stretch_of(mark, self._clock.now())
        if stretch is None:
            return mark
        this_round = _Round(stretch)
        page: PageQuery | None = None
        known = frozenset[str]()
        try:
            for _ in range(MOST_PAGES):
                await self._turn(this_round)
                found = await self._client.incoming_calls(stretch.since, stretch.until, page)
                if isinstance(found, Unavailable):
                    raise _NotTold(found)
                await self._take(found.calls, this_round)
                page, before = found.following, known
                known = frozenset(each.call.call_sid for each in found.calls)
                if page is None or known <= before:
                    return await self._cover(mark, stretch, this_round)
                if this_round.is_in_order and this_round.latest is not None:
                    part = Stretch(stretch.since, this_round.latest)
                    mark = await self._cover(mark, part, this_round)
            return mark
        finally:
            self._tell(this_round)

    async def _turn(self, this_round: _Round) -> None:
        if this_round.asked:
            await trio.sleep(SHARE * self._budget.spacing_s)
        this_round.asked += 1
        await self._upstream.well(Lane.VOICE)
        await self._budget.turn()

    async def _take(self, page: Sequence[Incoming], this_round: _Round) -> None:
        """Admit what is ours, missed, and news; and of what is owed something, that somebody took it."""
        missed: dict[str, Incoming] = {}
        taken: dict[str, InboundCall] = {}
        for each in page:
            call = each.call
            if call.called_at is None or not this_round.stretch.holds(call.called_at):
                continue
            is_ours = any(map(self._policy.is_own, call.dialled))
            this_round.pass_by(call.called_at)
            if is_ours and call.not_missed is Reason.STILL_IN_PROGRESS:
                this_round.leave(call.called_at)
            if is_ours and call.not_missed is None:
                missed[call.call_sid] = each
            if is_ours and call.not_missed is Reason.CONVERSATION:
                taken[call.call_sid] = call
        fresh = await self._store.read(partial(news, sids=list(missed)))
        calls = [
            each.call if each.is_told else await self._told(each.call, this_round)
            for sid, each in missed.items()
            if sid in fresh
        ]
        calls = [each for each in calls if each.not_missed is None]
        if taken:
            calls += [taken[sid] for sid in await self._store.read(partial(owing, sids=list(taken)))]
        # Of a number that is only called from, we are told of the calls of those whom we rang from it.
        if self._policy.caller_ids:
            whose = await self._store.read(partial(attributed, calls=calls, policy=self._policy))
            calls = [each for each in whose if self._policy.owner(each)[0] is not None]
        if not calls:
            return
        for call, verdict in zip(calls, await self._admit(calls), strict=True):
            if isinstance(verdict, NotDurable | Overloaded):
                raise verdict  # perhaps it was kept, perhaps not: the round is made again
            if isinstance(verdict, Exception):
                why = type(verdict).__name__
                self._log.repeated(
                    "error", Event.REQUEST_FAILED, why, call_sid=call.call_sid, exc_info=verdict
                )
            elif verdict not in (Verdict.REDELIVERED, Verdict.NOT_MISSED):  # else a webhook was faster
                this_round.recovered.append(call)

    async def _told(self, call: InboundCall, this_round: _Round) -> InboundCall:
        """Ask what the list left out: whether somebody talked to the caller."""
        await self._turn(this_round)
        found = await self._client.incoming_call(call.call_sid)
        if isinstance(found, Unavailable):
            if found.reason is Reason.NOT_FOUND:
                return call
            raise _NotTold(found)
        if found.call.not_missed is Reason.STILL_IN_PROGRESS and call.called_at is not None:
            this_round.leave(call.called_at)
        return replace(call, not_missed=found.call.not_missed, fields=found.call.fields)

    async def _cover(self, mark: Mark, stretch: Stretch, this_round: _Round) -> Mark:
        mark = Mark(mark.since_at, covered_by(stretch, this_round.oldest_unfinished))
        await self._store.write(partial(cover, mark=mark))
        return mark

    def _tell(self, this_round: _Round) -> None:
        """One line a round: a webhook that does not work is to be seen, not only healed."""
        instants = sorted(each.called_at for each in this_round.recovered if each.called_at)
        if instants:
            self._log.warning(
                Event.WEBHOOKS_MISSING,
                recovered=len(this_round.recovered),
                first_called_at=to_iso(instants[0]),
                last_called_at=to_iso(instants[-1]),
            )
