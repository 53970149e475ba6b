"""Texts for the dynamic SMS applet: Exotel asks in the middle of a call, and the caller hears it ring.

A text is given away only when it is on record that it was. Whoever waits too long is told to ask
again, and what nobody waits for any more is not given away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import trio

from missedd.base.clock import Clock
from missedd.core.admission.gates import NOT_AHEAD
from missedd.core.model import InboundCall, Outcome
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.intake.intake_queue import PATIENCE_S, Overloaded
from missedd.log.logger import Event, Logger
from missedd.store.admission.admit import Admitted
from missedd.store.admission.sms_applet import HandedOver, hand_over, preview
from missedd.store.store import Store


@dataclass(slots=True)
class _Waiter:
    """Whoever asked: it may leave before its turn comes."""

    is_here: bool = True


class HandOver:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        follow: Callable[[Admitted], None],
        on_refusal: Callable[[], None],
        ahead: Callable[[], timedelta] = lambda: NOT_AHEAD,
    ) -> None:
        """`follow` is intake's: what comes of a call that was news. `on_refusal` as there, too; `ahead` is
        how far the clock may be ahead.
        """
        self._ahead = ahead
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._admitted = follow
        self._on_refusal = on_refusal

    async def hand_over(self, call: InboundCall) -> str:
        """The text that is owed for this call, "" if none is; once only, and then nobody else sends it.

        Raises `NotDurable` or `Overloaded` where that could not be made sure.
        """
        waiter = _Waiter()
        unit = partial(
            hand_over,
            call=call,
            policy=self._policy,
            now=self._clock.now(),
            ahead=self._ahead(),
            is_awaited=lambda: waiter.is_here,
        )
        try:
            with trio.move_on_after(PATIENCE_S):
                return (await self._store.write(unit, self._follow)).text
            raise Overloaded(f"the store took over {PATIENCE_S:g} s")
        except Exception:
            self._on_refusal()
            raise
        finally:
            waiter.is_here = False

    async def preview(self, call: InboundCall) -> str:
        """The text that `hand_over` would give now."""
        unit = partial(preview, call=call, policy=self._policy, now=self._clock.now(), ahead=self._ahead())
        return await self._store.read(unit)

    def _follow(self, handed: HandedOver) -> None:
        if handed.admitted is not None:
            self._admitted(handed.admitted)
        if handed.action is not None:
            self._log.info(
                Event.ACTION_CLOSED,
                action=handed.action.id,
                kind=handed.action.kind,
                campaign=handed.action.campaign,
                outcome=Outcome.HANDED_OVER,
                reason=Reason.HANDED_TO_APPLET,
            )
