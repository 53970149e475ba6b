"""One attempt from its claim to its result: what every dispatcher does alike, whatever it sends and to whom.

The attempt is on record before its request goes out, and its answer is on record however long the
store takes to keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio

from missedd.base.clock import Clock, to_us
from missedd.core.model import Kind, Outcome
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import Settled
from missedd.engine.timing.due_queue import Ready
from missedd.engine.timing.timers import Timers
from missedd.log.logger import Event, Logger
from missedd.store.actions.attempts import record
from missedd.store.actions.claims import Claimed, Claims, Stopped, claim
from missedd.store.db.database import NotDurable
from missedd.store.store import Store

STORE_WAIT_S = 1.0
"""How long to wait before the store is tried again when it could not commit."""

type OnExpired = Callable[[str, Kind], None]


class Attempts:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        timers: Timers,
        on_expired: OnExpired = lambda campaign, kind: None,
    ) -> None:
        """`on_expired` is told of each action that grew too old before it could go."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._timers = timers
        self._on_expired = on_expired

    async def claim(
        self, ready: Ready, taken: Sequence[tuple[int, int]], limit: int, hold: Reason | None = None
    ) -> Claims | None:
        """Judge what was `taken` from `ready`, in that order, and claim up to `limit` of it; or, with `hold`,
        nothing: see the store's `claim`.

        What was not judged is put back; all of it, and None returned, if the store cannot commit.
        """
        due = {action_id: at_us for at_us, action_id in taken}
        claims = await self._claim(list(due), limit, hold)
        if claims is None:
            for at_us, action_id in taken:
                ready.add(at_us, action_id)
            return None
        for action_id in claims.left:
            # One that would have gone in another's stead need not have been asked for.
            ready.add(due.get(action_id, to_us(self._clock.now())), action_id)
        return claims

    async def claim_first(self, ready: Ready, held: Sequence[int]) -> Claims | None:
        """Claim the first of these held actions that may go; None if the store cannot commit.

        The others stay held, and are in no queue.
        """
        claims = await self._claim(held, 1, None)
        for action_id in claims.left if claims else ():
            if action_id not in held:
                ready.add(to_us(self._clock.now()), action_id)
        return claims

    async def _claim(self, ids: Sequence[int], limit: int, hold: Reason | None) -> Claims | None:
        unit = partial(
            claim,
            ids=ids,
            policy=self._policy,
            now=self._clock.now(),
            limit=limit,
            hold=hold,
            ahead=self._timers.watch.ahead(),
        )
        try:
            claims = await self._store.write(unit)
        except NotDurable as failure:
            self._log.repeated("error", Event.STORE_COMMIT_FAILED, "claim", unit="claim", error=str(failure))
            return None
        self._log.ended(Event.STORE_COMMIT_FAILED, "claim")
        self._timers.add(claims.early)
        self._timers.add(claims.woken)
        for stopped in claims.stopped:
            self._note(stopped)
        return claims

    def _note(self, stopped: Stopped) -> None:
        action = stopped.action
        event = Event.ACTION_CLOSED if stopped.outcome else Event.ACTION_HELD
        if stopped.wake:
            self._timers.add([stopped.wake])
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

    async def record(self, claimed: Claimed, settled: Settled) -> None:
        """Keep what was learnt, however long the store takes: forgetting it would mean asking again."""
        action, result = claimed.action, settled.result
        unit = partial(
            record,
            action_id=action.id,
            attempt=claimed.attempt,
            result=result,
            policy=self._policy,
            now=self._clock.now(),
        )
        while True:
            try:
                wakes = await self._store.write(unit)
                break
            except NotDurable as failure:
                self._log.repeated(
                    "error", Event.STORE_COMMIT_FAILED, "record", unit="record", error=str(failure)
                )
                await trio.sleep(STORE_WAIT_S)
        self._log.ended(Event.STORE_COMMIT_FAILED, "record")
        self._timers.add(wakes)
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
