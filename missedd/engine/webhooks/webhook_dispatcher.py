"""The dispatcher of outgoing webhooks. There is no rate limit, but no application may delay another.

It takes due actions from each address's own queue, as many as that address may have in flight. Like
every dispatcher, it claims an action before it sends the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Final

import trio

from missedd.base.clock import Clock
from missedd.engine.dispatch.attempt_result import Withheld, give_back, interpret_answer
from missedd.engine.dispatch.attempts import STORE_RETRY_S, AttemptRecorder
from missedd.engine.leadership.term import Term
from missedd.engine.webhooks.endpoint_alerts import EndpointTroubles
from missedd.engine.webhooks.endpoint_queues import Endpoint, WebhookQueues
from missedd.exotel.network_errors import NO_ANSWER_IN_TIME, NO_CONNECTION_IN_TIME
from missedd.exotel.request_result import Accepted, Answer
from missedd.store.actions.claims import ClaimedAction
from missedd.store.actions.timers import campaigns_of_actions
from missedd.store.store import Store

ASSIGN_BATCH: Final = 256
"""Actions whose campaign is read in one query."""

type SendWebhook = Callable[[ClaimedAction, Callable[[], str | None]], Awaitable[Answer | Withheld]]
"""Sends a webhook. The second argument says, just before the request, why it must not go out."""

_TIMEOUTS: Final = (NO_CONNECTION_IN_TIME.code, NO_ANSWER_IN_TIME.code)


class WebhookDispatcher:
    """Sends the due webhooks of all endpoints."""

    def __init__(
        self,
        *,
        store: Store,
        recorder: AttemptRecorder,
        clock: Clock,
        rng: Random,
        queues: WebhookQueues,
        send: SendWebhook,
        endpoint_troubles: EndpointTroubles,
        term: Term,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._rng = rng
        self._queues = queues
        self._send = send
        self._endpoint_troubles = endpoint_troubles
        self._term = term
        self._claiming = trio.CancelScope()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the requests in flight are done."""
        self._claiming.cancel()

    async def run(self) -> None:
        async with trio.open_nursery() as requests:
            with self._claiming:
                while True:
                    changed = self._queues.change_event()
                    self._endpoint_troubles.check()
                    await self._assign_due()
                    await self._term.wait_until_trusted()
                    if chosen := self._queues.take_next():
                        await self._start_requests(chosen, requests)
                    else:
                        # No slot is free, or nothing is due. Wait until one of the two changes.
                        with trio.move_on_at(self._endpoint_troubles.next_check_at_s):
                            await changed.wait()

    async def _assign_due(self) -> None:
        while self._queues.unassigned_count:
            taken = self._queues.take(ASSIGN_BATCH)
            campaigns: dict[int, str] = {}
            if self._queues.has_several_endpoints:
                unit = partial(campaigns_of_actions, ids=[action_id for _, action_id in taken])
                campaigns = await self._store.read(unit)
            self._queues.assign(taken, campaigns)

    async def _start_requests(self, chosen: dict[int, tuple[int, Endpoint]], requests: trio.Nursery) -> None:
        taken = [(due_us, action_id) for action_id, (due_us, _) in chosen.items()]
        # From here until the requests start, do not cancel: a claim whose request never starts
        # would look like a lost answer.
        asked_at_s = trio.current_time()
        with trio.CancelScope(shield=True):
            claims = await self._recorder.claim(self._queues, taken, len(taken))
            for claimed in claims.claimed if claims else ():
                _, endpoint = chosen[claimed.action.id]
                endpoint.in_flight[claimed.action.id] = trio.current_time()
                name = f"attempt {claimed.action.id}"
                requests.start_soon(self._make_attempt, claimed, endpoint, asked_at_s, name=name)
        if claims is None:
            await trio.sleep(STORE_RETRY_S)

    async def _make_attempt(self, claimed: ClaimedAction, endpoint: Endpoint, asked_at_s: float) -> None:
        action = claimed.action
        try:
            answer = await self._send(claimed, partial(self._term.why_not_send, asked_at_s))
            if isinstance(answer, Withheld):
                await self._recorder.record_unsent(claimed, give_back(answer, self._clock.now()))
                return
            endpoint.has_been_tried = True
            endpoint.last_timed_out = not isinstance(answer, Accepted) and answer.code in _TIMEOUTS
            self._endpoint_troubles.record_answer(endpoint, answer)
            decision = interpret_answer(answer, action.kind, claimed.tries, self._clock.now(), self._rng)
        finally:
            # The slot is free before the answer is committed: slots share the application's time, not ours.
            del endpoint.in_flight[action.id]
            self._queues.notify_changed()
        await self._recorder.record(claimed, decision)
