"""SMS texts for the dynamic SMS applet: Exotel requests them during a call, while the caller hears it ring.

A text is returned only after the handover is committed. A client that waits too long is asked to try again.
If the client does not wait any more, the text is not handed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from missedd.base.clock import Clock
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.model import InboundCall, Outcome
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.intake.intake_queue import limited_wait
from missedd.log.logger import Event, Logger
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.admission.sms_applet import SmsHandover, hand_over_sms, preview_sms
from missedd.store.db.lock_keys import LockKeys
from missedd.store.store import Store


@dataclass(slots=True)
class _AppletRequest:
    """A request of the applet. The client may disconnect before the store decides."""

    is_waiting: bool = True


class SmsAppletResponder:
    """Hands SMS texts over to the applet, or previews them."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        on_admitted: Callable[[AdmittedCall], None],
        on_refusal: Callable[[], None],
        clock_ahead: Callable[[], timedelta] = lambda: CLOCK_NOT_AHEAD,
    ) -> None:
        """`on_admitted` is intake's `after_commit`, for an unknown call. `on_refusal` is as in intake.

        `clock_ahead` returns how far the wall clock may be ahead.
        """
        self._clock_ahead = clock_ahead
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._on_admitted = on_admitted
        self._on_refusal = on_refusal

    async def hand_over_sms(self, call: InboundCall) -> str:
        """The SMS text for this call; "" if there is none. It is returned once only.

        Raises `NotDurable` if the handover could not be committed, `Overloaded` if the store takes too
        long.
        """
        waiter = _AppletRequest()
        unit = partial(
            hand_over_sms,
            call=call,
            policy=self._policy,
            now=self._clock.now(),
            clock_ahead=self._clock_ahead(),
            is_client_waiting=lambda: waiter.is_waiting,
        )
        locks = LockKeys.of(call.call_sid, call.caller)
        try:
            with limited_wait(self._store.max_wait_s):
                handover = await self._store.write(unit, self._on_handed_over, locks=locks)
        except Exception:
            self._on_refusal()
            raise
        finally:
            waiter.is_waiting = False
        return handover.text

    async def preview_sms(self, call: InboundCall) -> str:
        """The text that `hand_over_sms` would return now. Changes nothing; raises the same."""
        unit = partial(
            preview_sms,
            call=call,
            policy=self._policy,
            now=self._clock.now(),
            clock_ahead=self._clock_ahead(),
        )
        with limited_wait(self._store.max_wait_s):
            return await self._store.read(unit)

    def _on_handed_over(self, handover: SmsHandover) -> None:
        if handover.admitted is not None:
            self._on_admitted(handover.admitted)
        if handover.action is not None:
            self._log.info(
                Event.ACTION_CLOSED,
                action=handover.action.id,
                kind=handover.action.kind,
                campaign=handover.action.campaign,
                outcome=Outcome.HANDED_OVER,
                reason=Reason.HANDED_TO_APPLET,
            )
