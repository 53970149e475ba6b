"""Status reports: read in the provider's spelling, applied once to the action's lifecycle."""

from __future__ import annotations

from functools import partial

from missedd.base.clock import Clock
from missedd.core.model import Kind, Outcome, StatusReport
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.intake.cancellation_log import log_cancelled
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.timing.timers import Wake
from missedd.exotel.answer_time import answered_at, ended_at
from missedd.exotel.callback_outcome import NOT_ENDED, callback_outcome, has_agent_answered
from missedd.exotel.duration_and_price import read_call_facts, read_sms_facts
from missedd.exotel.sms_status_codes import MISCONFIGURED_CODES, resolve_code
from missedd.log.logger import Event, Logger
from missedd.store.actions.rows import ActionRow
from missedd.store.actions.status_reports import ReportMeaning, ReportResult, apply_report
from missedd.store.db.lock_keys import LockKeys
from missedd.store.store import Store


def interpret_report(action: ActionRow, report: StatusReport) -> ReportMeaning:
    """What a report means for this action. Only the action says which leg was the customer's."""
    if action.kind is Kind.SMS:
        code = resolve_code(report.status, report.code)
        reason = Reason.SMS_MISCONFIGURED if code.needs_operator else None
        return ReportMeaning(
            report.outcome, code.refused_class, reason=reason, details=read_sms_facts(report.fields)
        )
    first = action.details.get("first")
    callback = callback_outcome(report.fields, first) if report.is_terminal else NOT_ENDED
    return ReportMeaning(
        callback.outcome,
        answered_at=answered_at(report.fields, first),
        ended_at=ended_at(report.fields),
        reason=callback.reason,
        agent_answered=has_agent_answered(report.fields, first, callback),
        details=read_call_facts(report.fields, first),
    )


class StatusReports:
    """Applies status reports, from webhooks and from lookups."""

    def __init__(
        self, store: Store, policy: Policy, clock: Clock, log: Logger, clock_watch: ClockWatch, wake: Wake
    ) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._clock_watch = clock_watch
        self._wake = wake

    async def apply_call_report(self, action_id: int, report: StatusReport) -> None:
        await self.apply(action_id, Kind.CALLBACK, report)

    async def apply_sms_report(self, action_id: int, report: StatusReport) -> None:
        await self.apply(action_id, Kind.SMS, report)

    async def apply(
        self, action_id: int, kind: Kind, report: StatusReport, source: str = "report"
    ) -> ReportResult:
        """Apply one report durably. Raises `NotDurable` if it could not be committed.

        The client may stop waiting for a slow disk. Timers and log still follow the commit.
        """
        unit = partial(
            apply_report,
            action_id=action_id,
            kind=kind,
            report=report,
            interpret=interpret_report,
            policy=self._policy,
            now=self._clock.now(),
            source=source,
            clock_ahead=self._clock_watch.clock_ahead(),
        )

        def follow(applied: ReportResult) -> None:
            self._wake(applied.timers)
            self._log_report(applied, action_id, kind, report, source)
            log_cancelled(self._log, applied.cancelled)

        locks = LockKeys.of(report.provider_sid, action_ids=[action_id])
        return await self._store.write(unit, follow, locks=locks)

    def _log_report(
        self, applied: ReportResult, action_id: int, kind: Kind, report: StatusReport, source: str
    ) -> None:
        event = Event.REPORT_APPLIED if applied.effect == "applied" else Event.REPORT_IGNORED
        fields: dict[str, object] = {
            "action": action_id,
            "kind": kind,
            "campaign": applied.action.campaign if applied.action else None,
            "provider_sid": report.provider_sid,
            "status": report.status,
            "code": report.code,
            "source": source,
            "effect": applied.effect,
            "outcome": applied.outcome,
        }
        if applied.reason is Reason.SMS_MISCONFIGURED and applied.action:
            key = _sms_log_key(applied.action, report.code)
            self._log.log_throttled("error", event, key, **fields, reason=applied.reason)
            return
        if kind is Kind.SMS and applied.outcome is Outcome.DELIVERED and applied.action:
            for code in MISCONFIGURED_CODES:
                self._log.reset_throttle(event, _sms_log_key(applied.action, code))
        if kind is Kind.CALLBACK and applied.reason is not None:
            fields["reason"] = applied.reason
        self._log.info(event, **fields)


def _sms_log_key(action: ActionRow, code: str | None) -> str:
    """Identifies a lasting failure. A campaign has one SMS text for each of its plans."""
    return f"{action.campaign} {action.plan} {code}"
