"""One attempt from its claim to its result. Every dispatcher uses this part, for calls, SMS and webhooks.

The attempt is committed before its request is sent. The answer is committed however long the store takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio

from missedd.base.clock import Clock, to_us
from missedd.core.model import Kind, Outcome
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import AttemptDecision
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import Timers
from missedd.log.logger import Event, Logger
from missedd.store.actions.attempts import record_attempt_result
from missedd.store.actions.claims import ClaimedAction, ClaimResult, StoppedAction, claim
from missedd.store.db.database import NotDurable
from missedd.store.db.lock_keys import LockKeys
from missedd.store.store import Store

STORE_RETRY_S = 1.0
"""How long to wait before the next try after a failed commit."""

GIVE_BACK_LIMIT_S = 2.0
"""How long a term that ends waits for the store to note what was not sent."""

type OnExpired = Callable[[str, Kind], None]


class AttemptRecorder:
    """Claims due actions, and records the result of each request."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        timers: Timers,
        on_expired: OnExpired = lambda campaign, kind: None,
    ) -> None:
        """`on_expired` is called for each action that expired before its request could be sent."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._timers = timers
        self._on_expired = on_expired

    async def claim(
        self,
        due_queue: DueQueue,
        entries: Sequence[tuple[int, int]],
        limit: int,
        hold_reason: Reason | None = None,
    ) -> ClaimResult | None:
        """Judge the `entries` taken from `due_queue`, in that order, and claim at most `limit` of them.

        An entry is (due time in microseconds, action id). With a `hold_reason` none is claimed: see the
        store's `claim`. Entries that were not judged go back into the queue. If the store cannot commit,
        all go back and the result is None.
        """
        due = {action_id: at_us for at_us, action_id in entries}
        claims = await self._claim(list(due), limit, hold_reason)
        if claims is None:
            for at_us, action_id in entries:
                due_queue.add(at_us, action_id)
            return None
        for action_id in claims.unjudged_ids:
            # An action that was judged in place of another need not be among the entries.
            due_queue.add(due.get(action_id, to_us(self._clock.now())), action_id)
        return claims

    async def claim_first(self, due_queue: DueQueue, held_ids: Sequence[int]) -> ClaimResult | None:
        """Claim the first of these held actions that may be sent; None if the store cannot commit.

        The others stay held and are in no queue.
        """
        claims = await self._claim(held_ids, 1, None)
        for action_id in claims.unjudged_ids if claims else ():
            if action_id not in held_ids:
                due_queue.add(to_us(self._clock.now()), action_id)
        return claims

    async def _claim(self, ids: Sequence[int], limit: int, hold_reason: Reason | None) -> ClaimResult | None:
        unit = partial(
            claim,
            ids=ids,
            policy=self._policy,
            now=self._clock.now(),
            limit=limit,
            hold_reason=hold_reason,
            clock_ahead=self._timers.clock_watch.clock_ahead(),
        )
        try:
            claims = await self._store.write(unit, locks=LockKeys.of(action_ids=ids))
        except NotDurable as failure:
            self._log.log_throttled(
                "error", Event.STORE_COMMIT_FAILED, "claim", unit="claim", error=str(failure)
            )
            return None
        self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "claim")
        self._timers.add(claims.early_timers)
        self._timers.add(claims.other_timers)
        for stopped in claims.stopped:
            self._log_stopped(stopped)
        return claims

    def _log_stopped(self, stopped: StoppedAction) -> None:
        action = stopped.action
        event = Event.ACTION_CLOSED if stopped.outcome else Event.ACTION_HELD
        if stopped.timer:
            self._timers.add([stopped.timer])
        if stopped.outcome is Outcome.EXPIRED:
            self._on_expired(action.campaign, action.kind)
        self._log.info(
            event,
            action=action.id,
            kind=action.kind,
            campaign=action.campaign,
            outcome=stopped.outcome,
            reason=stopped.reason,
        )

    async def record_unsent(self, claimed: ClaimedAction, decision: AttemptDecision) -> None:
        """Commit that the request was not sent, also while the term ends: the next term need not look it up.

        A term that another node's has followed can commit nothing any more; then `NotLeading` is raised.
        """
        with trio.move_on_after(GIVE_BACK_LIMIT_S, shield=True):
            await self.record(claimed, decision)

    async def record(self, claimed: ClaimedAction, decision: AttemptDecision) -> None:
        """Commit the result, and retry until the store can. A lost result would cost a lookup."""
        action, result = claimed.action, decision.result
        unit = partial(
            record_attempt_result,
            action_id=action.id,
            attempt=claimed.attempt,
            result=result,
            policy=self._policy,
            now=self._clock.now(),
        )
        while True:
            try:
                timers = await self._store.write(unit, locks=LockKeys.of(action.number))
                break
            except NotDurable as failure:
                self._log.log_throttled(
                    "error", Event.STORE_COMMIT_FAILED, "record", unit="record", error=str(failure)
                )
                await trio.sleep(STORE_RETRY_S)
        self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "record")
        self._timers.add(timers)
        event = {
            "accepted": Event.ATTEMPT_ACCEPTED,
            "refused": Event.ATTEMPT_REFUSED,
            "unknown": Event.ATTEMPT_UNKNOWN,
        }[result.result]
        late_ms = (to_us(action.placed_at or action.due_at) - to_us(action.due_at)) / 1000
        fields: dict[str, object] = {
            "action": action.id,
            "kind": action.kind,
            "campaign": action.campaign,
            "attempt": claimed.attempt,
            "number": action.number,
            "provider_sid": result.provider_sid,
            "code": result.code,
            "reason": result.reason,
            "outcome": result.outcome,
            "late_ms": round(late_ms, 1),
        }
        self._log.write("info" if result.result == "accepted" else "warning", event, **fields)
