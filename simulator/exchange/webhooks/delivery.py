"""Exotel's webhooks on their way out: the time limit, the retries, and the faults of the way.

A post counts as taken on a 2xx within the limit (and on a 302, which a Passthru applet reads as
its second branch). Anything else is tried again, the same request byte for byte, after the waits
in the settings; then it is dropped.
"""

from __future__ import annotations

import trio

from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.faults import Fault, FaultName, FaultTarget
from simulator.exchange.model.records import Delivery
from simulator.exchange.webhooks.contradicting_report import contradict_report
from simulator.exchange.webhooks.request import OutboundWebhook, Poster, PostFailed, PostResult


class WebhookDelivery:
    def __init__(self, state: ExchangeState, poster: Poster) -> None:
        self._state = state
        self._poster = poster

    async def deliver(
        self,
        kind: str,
        call_sid: str,
        webhook: OutboundWebhook,
        first_try: trio.Event | None = None,
        *,
        tells_end: bool = True,
    ) -> Delivery:
        """Post until taken or given up, and return the last try.

        `first_try` is set when the first try has ended either way. One draw of the faults covers
        all tries of one webhook.
        """
        world = self._state
        target = FaultTarget.WEBHOOK if kind in ("missed-call", "sms-text") else FaultTarget.REPORT
        fault = world.faults.take_next(target)
        name = fault.name if fault else None
        if fault is not None and name is FaultName.DELAY:
            await trio.sleep(fault.effective_delay_s)
        elif fault is not None and name is FaultName.REORDER:
            await trio.sleep(world.rng.uniform(0, fault.effective_delay_s))
        elif fault is not None and name is FaultName.DUPLICATE:
            world.nursery.start_soon(
                self._post_copy, kind, call_sid, webhook, fault.effective_delay_s, tells_end
            )
        elif fault is not None and name is FaultName.CONTRADICT:
            other = contradict_report(webhook)
            world.nursery.start_soon(
                self._post_copy, kind, call_sid, other, fault.effective_delay_s, tells_end
            )

        delivery = self._record_attempt(kind, call_sid, webhook, 1, tells_end)
        try:
            if name is FaultName.LOSE:
                delivery.failure = "lost on the way"
                return delivery
            await self._post_once(delivery, webhook, fault if name is FaultName.HANG_UP else None)
        finally:
            if first_try is not None:
                first_try.set()
        for attempt, wait_s in enumerate(world.settings.webhook_retry_waits_s, start=2):
            if _is_accepted(delivery):
                break
            await trio.sleep(wait_s)
            delivery = self._record_attempt(kind, call_sid, webhook, attempt, tells_end)
            await self._post_once(delivery, webhook)
        return delivery

    async def fetch_once(self, kind: str, call_sid: str, webhook: OutboundWebhook) -> PostResult | None:
        """One request whose answer's content matters: no faults, no second try. None on any failure."""
        return await self._post_once(self._record_attempt(kind, call_sid, webhook, 1), webhook)

    async def _post_copy(
        self, kind: str, call_sid: str, webhook: OutboundWebhook, wait_s: float, tells_end: bool
    ) -> None:
        await trio.sleep(wait_s)
        delivery = self._record_attempt(kind, call_sid, webhook, 1, tells_end)
        delivery.copy = True
        await self._post_once(delivery, webhook)

    def _record_attempt(
        self, kind: str, call_sid: str, webhook: OutboundWebhook, attempt: int, tells_end: bool = True
    ) -> Delivery:
        at = self._state.now()
        delivery = Delivery(kind, call_sid, webhook.url, webhook.method, attempt, at, tells_end)
        self._state.ground_truth.add_delivery(delivery)
        return delivery

    async def _post_once(
        self, delivery: Delivery, webhook: OutboundWebhook, hang_up: Fault | None = None
    ) -> PostResult | None:
        """One try. The answer goes into `delivery`; one that came after hanging up does not."""
        delivery.at = self._state.now()
        limit_s = self._state.settings.webhook_timeout_s
        if hang_up is not None and hang_up.delay_s is not None:
            limit_s = hang_up.delay_s
        answer: PostResult | None = None
        with trio.move_on_after(limit_s):
            try:
                answer = await self._poster(webhook)
            except PostFailed as failure:
                delivery.failure = str(failure)
        delivery.latency_s = (self._state.now() - delivery.at).total_seconds()
        if hang_up is not None:
            delivery.failure = "hung up"
            return None
        if answer is None:
            delivery.failure = delivery.failure or f"no answer in {limit_s:g} s"
            return None
        delivery.status = answer.status
        delivery.verdict = answer.headers.get("missedd-verdict")
        return answer


def _is_accepted(delivery: Delivery) -> bool:
    status = delivery.status
    return status is not None and (200 <= status < 300 or (status == 302 and delivery.method == "GET"))
