"""The state of the provider's two lanes: whether each is held, and why.

    breakers.hold_reason(Lane.VOICE)   ->  None, or the reason why only a probe may be sent

Dispatchers report how each request ended, and lookups report their answers.
`missedd.core.upstream.circuit_breaker` decides what follows. `lane_alerts` writes the log lines and troubles.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import trio

from missedd.base.clock import Clock
from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.core.upstream.campaign_refusals import CampaignRefusals
from missedd.core.upstream.circuit_breaker import (
    ACCOUNT_HOLDS,
    HEALTHY,
    ON_PROBATION,
    CircuitState,
    ProviderSignal,
    after_idle_lookup,
    after_lookup,
    after_other_lane_accepted,
    after_request,
    hold_circuit,
)
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.alerts.lane_alerts import LaneTroubles
from missedd.exotel.client import Unavailable
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.log.logger import Logger

LANES: Final = (Lane.VOICE, Lane.SMS)

_SIGNS: Final = {
    Reason.CONNECTION_FAILED: ProviderSignal.NOT_CONNECTED,
    Reason.PROVIDER_AUTH: ProviderSignal.AUTH_REFUSED,
    Reason.ACCOUNT_PROBLEM: ProviderSignal.ACCOUNT_REFUSED,
}


def signal_of(answer: Answer) -> ProviderSignal | None:
    """What an answer says about the provider's health; None if no request was made."""
    match answer:
        case Accepted():
            return ProviderSignal.ACCEPTED
        case Refused(reason=Reason.NO_LONGER_CONFIGURED):
            return None
        case Refused(reason=Reason.RATE_LIMITED, code=code) if code.startswith("503"):
            return ProviderSignal.THROTTLED
        case Refused(retryable=True, reason=reason) if reason in ACCOUNT_HOLDS:
            return ProviderSignal.RESPONDED  # this campaign's alone: see `classify_for_campaign`
        case Refused(reason=reason):
            return _SIGNS.get(reason, ProviderSignal.RESPONDED)
        case Unknown(code=code):
            return ProviderSignal.SERVER_ERROR if code.startswith("5") else ProviderSignal.REPLY_LOST


class CircuitBreakers:
    """One circuit breaker for each lane, and the waits for its changes. Times are by trio's clock."""

    def __init__(
        self, clock: Clock, log: Logger, troubles: ActiveTroubles, on_probation: frozenset[Lane]
    ) -> None:
        """`on_probation` are the lanes that were held when the daemon stopped."""
        self._troubles = LaneTroubles(clock, log, troubles)
        self._states = {lane: ON_PROBATION if lane in on_probation else HEALTHY for lane in Lane}
        self._changed = {lane: trio.Event() for lane in LANES}
        self._probe_locks = {lane: trio.Lock() for lane in LANES}
        self._campaign_refusals = {lane: CampaignRefusals() for lane in LANES}

    def hold_reason(self, lane: Lane) -> Reason | None:
        """Why the lane's actions are held now; None if the lane is not held."""
        return self._states[lane].reason

    def is_on_probation(self, lane: Lane) -> bool:
        """Whether the last request failed. If so, requests go one at a time until one is accepted."""
        return self._states[lane].failures > 0

    def must_look_up_first(self, lane: Lane) -> bool:
        """Whether a failed request may have had its effect, so that a lookup must be the next probe."""
        return self._states[lane].must_look_up_first

    def probe_wait_s(self, lane: Lane) -> float:
        """Seconds until the next probe."""
        return max(0.0, self._states[lane].next_probe_at_s - trio.current_time())

    def classify_for_campaign(self, lane: Lane, campaign: str, answer: Answer, began_s: float) -> Answer:
        """Return the answer; make it retryable if the account is refused for this campaign alone.

        Example: every SMS of one campaign is refused, while those of the others are accepted. Then the
        lane is not held, and the campaign's actions are retried until they expire. `began_s` is when the
        request began, by trio's clock.
        """
        if lane not in self._campaign_refusals:
            return answer
        refusals = self._campaign_refusals[lane]
        match answer:
            case Accepted() if refusals.record_accepted(campaign, began_s):
                self._troubles.report_campaign_accepted(lane, campaign)
            case Refused(reason=reason) if reason in ACCOUNT_HOLDS:
                if refusals.record_refusal(campaign, trio.current_time()):
                    self._troubles.report_campaign_refused(lane, campaign, answer.code, answer.message)
                    return replace(answer, retryable=True)
        return answer

    def record_answer(self, lane: Lane, answer: Answer, began_s: float) -> None:
        """Record how a request ended that began at `began_s` by trio's clock."""
        signal = signal_of(answer)
        if signal is None:
            return
        retry_after_s = answer.retry_after_s if isinstance(answer, Refused) else None
        now_s, before = trio.current_time(), self._states[lane]
        after = after_request(before, signal, began_s, now_s, retry_after_s)
        message = answer.message if isinstance(answer, Refused | Unknown) else ""
        begins = after.reason in ACCOUNT_HOLDS and after.reason is not self.hold_reason(lane)
        self._set_state(lane, after, answer.code, message)
        if begins and after.reason is not None:
            for other in LANES:
                if self.hold_reason(other) not in ACCOUNT_HOLDS:
                    self._set_state(other, hold_circuit(after.reason, now_s), answer.code, message)
        if before.reason in ACCOUNT_HOLDS and after.reason is None:
            for other in LANES:
                self._set_state(other, after_other_lane_accepted(self._states[other]), "", "")

    def record_lookup(self, lane: Lane, result: object) -> bool:
        """Record the result of a lookup that was a probe. Returns whether Exotel answered; a 4xx counts."""
        code = result.code if isinstance(result, Unavailable) else "200"
        is_answered = code[:1] in "1234"
        state = self._states[lane]
        self._set_state(lane, after_lookup(state, trio.current_time(), is_answered=is_answered), code, "")
        return is_answered

    def record_nothing_to_probe(self, lane: Lane) -> None:
        """A lookup was answered, but no action waits that could show whether requests are accepted."""
        self._set_state(lane, after_idle_lookup(self._states[lane]), "", "")

    def notify_action_held(self, lane: Lane) -> None:
        """An action was held with its lane, so it can serve as a probe."""
        self._notify_changed(lane)

    async def wait_for_change(self, lane: Lane) -> None:
        """Return when an action is held with its lane, or when the lane's state changes."""
        await self._changed[lane].wait()

    async def wait_until_held(self, lane: Lane) -> Reason:
        """Wait until a lane is held, and return the reason."""
        while (reason := self.hold_reason(lane)) is None:
            await self._changed[lane].wait()
        return reason

    async def wait_until_reachable(self, lane: Lane) -> None:
        """Return when the lane is not held as unreachable."""
        while self.hold_reason(lane) is Reason.PROVIDER_UNREACHABLE:
            await self._changed[lane].wait()

    @asynccontextmanager
    async def probe_turn(self, lane: Lane) -> AsyncIterator[bool]:
        """Wait for the turn to send a held lane's probe. Yields False if the lane is not held any more."""
        async with self._probe_locks[lane]:
            while self.hold_reason(lane) is not None and (wait_s := self.probe_wait_s(lane)) > 0:
                with trio.move_on_after(wait_s):
                    await self._changed[lane].wait()
            yield self.hold_reason(lane) is not None

    @asynccontextmanager
    async def lookup_turn(self, lane: Lane) -> AsyncIterator[bool]:
        """Wait for a lookup's turn. Yields True if the lookup is the probe of an unreachable provider.

        While the provider is reachable there is no wait, and the value is False.
        """
        if self.hold_reason(lane) is not Reason.PROVIDER_UNREACHABLE:
            yield False
            return
        async with self.probe_turn(lane) as is_held:
            yield is_held

    def _set_state(self, lane: Lane, after: CircuitState, code: str, message: str) -> None:
        before, self._states[lane] = self._states[lane], after
        if after == before:
            return
        if before.needs_attention and after.reason is not before.reason:
            is_over = all(self.hold_reason(other) is not before.reason for other in LANES)
            self._troubles.report_recovery(lane, before, is_over=is_over)
        if after.needs_attention:
            self._troubles.report_failure(lane, before, after, code, message)
        self._notify_changed(lane)

    def _notify_changed(self, lane: Lane) -> None:
        changed, self._changed[lane] = self._changed[lane], trio.Event()
        changed.set()
