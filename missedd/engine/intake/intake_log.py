"""Log lines about admitted calls: one line a call, and in a burst one line a second for the rest.

The log limits the lines of one event in a second. Calls above that limit are counted by verdict and logged
together. The metrics count every call, and `missedd why` shows each of them.
"""

from __future__ import annotations

from collections import Counter

import trio

from missedd.base.clock import to_iso
from missedd.core.model import SHAPE_RECOVERED, Verdict
from missedd.log.logger import Event, Level, Logger
from missedd.store.admission.admitted_call import AdmittedCall


class IntakeLog:
    """Logs admitted calls, or counts them in a burst."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._unlogged: Counter[Verdict] = Counter()
        self._has_unlogged = trio.Event()

    def log_admission(self, admitted: AdmittedCall) -> None:
        """Log one call, or count it if the log has no room."""
        call, admission = admitted.call, admitted.admission
        event = Event.CALL_RECOVERED if call.shape == SHAPE_RECOVERED else Event.WEBHOOK_ADMITTED
        actions = [f"{each.kind}:{each.outcome or each.state}" for each in admission.actions]
        if not self._log.has_room(event):
            self._log.count_only(
                event, campaign=admission.campaign, verdict=admission.verdict, actions=actions
            )
            self._unlogged[admission.verdict] += 1
            self._has_unlogged.set()
            return
        level: Level = "warning" if admission.verdict is Verdict.UNKNOWN_EXOPHONE else "info"
        self._log.write(
            level,
            event,
            call_sid=call.call_sid,
            campaign=admission.campaign,
            caller=call.caller,
            exophone=admission.exophone,
            verdict=admission.verdict,
            reason=admission.reason,
            called_at=to_iso(admission.called_at),
            actions=actions,
        )

    async def run(self) -> None:
        """Log the counted calls once a second while there are any, for ever."""
        while True:
            await self._has_unlogged.wait()
            await trio.sleep(1)
            self.log_counted()

    def log_counted(self) -> None:
        """Log the calls that were only counted so far."""
        if self._unlogged:
            counts = {verdict.value: count for verdict, count in sorted(self._unlogged.items())}
            self._log.info(Event.WEBHOOKS_ADMITTED, calls=self._unlogged.total(), verdicts=counts)
        self._unlogged.clear()
        self._has_unlogged = trio.Event()
