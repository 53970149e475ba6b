"""What an operator may change in a running engine, from the console, the API or the command line."""

from __future__ import annotations

from missedd.base.clock import Clock
from missedd.core.audit import Actor
from missedd.core.policy import Policy
from missedd.engine.intake.cancellation_log import log_cancelled
from missedd.engine.timing.timers import Wake
from missedd.log.logger import Event, Logger
from missedd.operator_actions.description import OperatorChange
from missedd.operator_actions.quarantine import ReleaseQuarantine
from missedd.store.db.database import Database
from missedd.store.operations.effect import ChangeContext, Effect
from missedd.store.operations.table import OPERATIONS
from missedd.store.reads.audit import record_audit
from missedd.store.store import Store


class Operator:
    """Performs operator changes."""

    def __init__(self, store: Store, policy: Policy, clock: Clock, log: Logger, wake: Wake) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._wake = wake

    async def perform[R](self, actor: Actor, change: OperatorChange[R]) -> R:
        """Make a change, with its audit record in the same transaction. Returns once both are durable.

        Timers and log follow the commit itself, as the client may disconnect before the answer. Raises
        `NotDurable` if the change could not be committed.
        """
        context = ChangeContext(actor, self._clock.now(), self._policy)
        operation = OPERATIONS[type(change)]

        async def unit(db: Database) -> Effect[R]:
            effect: Effect[R] = await operation.unit(db, change, context)
            if (audit := effect.audit) is not None:
                await record_audit(
                    db, actor, change.audit_action, audit.subject, context.now, **audit.details
                )
            return effect

        def follow(effect: Effect[R]) -> None:
            self._wake(effect.timers)
            self._log_change(actor, change, effect)

        effect = await self._store.write(
            unit, follow, offload=operation.is_long, locks=operation.locks(change)
        )
        return effect.result

    def _log_change(self, actor: Actor, change: OperatorChange[object], effect: Effect[object]) -> None:
        if effect.audit is None:
            return
        by = {"source": actor.source, "peer": actor.peer}
        self._log.info(Event.OPERATOR_ACTED, deed=change.audit_action, **by, **effect.audit.log)
        log_cancelled(self._log, effect.cancelled)
        if isinstance(change, ReleaseQuarantine):
            self._log.warning(Event.STORE_RELEASED, actions=effect.result, dropped=change.drop)
