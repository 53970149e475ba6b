"""Alerts about the provider: what is wrong, since when, how many tries, and what to do.

The log gets an error when the trouble begins and at the 10th, 100th … failed probe, and an info when it
ends. Meanwhile each lane has an entry in `ActiveTroubles`. A trouble with the account holds both lanes, but
is logged once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import trio

from missedd.base.clock import Clock
from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.core.upstream.circuit_breaker import ACCOUNT_HOLDS, CircuitState, is_worth_logging
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.log.logger import Event, Logger

_LANE_WORDS: Final = {Lane.VOICE: "calls", Lane.SMS: "SMS"}

_WAITS: Final = "due actions wait, and are sent by themselves afterwards, unless they expire first"
_REMEDIES: Final = {
    Reason.PROVIDER_UNREACHABLE: "check this machine's network and DNS, [exotel] api_base, and "
    f"Exotel's status page; {_WAITS}",
    Reason.PROVIDER_AUTH: "put the account's API key and token into EXOTEL_API_KEY and EXOTEL_API_TOKEN, in "
    "the environment or as systemd credentials, compare [exotel] account_sid and api_base with Exotel's "
    f"dashboard, and restart missedd; {_WAITS}",
    Reason.ACCOUNT_PROBLEM: f"check the account's balance, KYC and plan in Exotel's dashboard; {_WAITS}",
}

_OWN_REMEDY: Final = (
    "compare the campaign's flow, exophones, caller_id and SMS sender with what the account has in Exotel's "
    "dashboard; each of these actions is retried until it expires"
)


@dataclass(slots=True)
class _LoggedTrouble:
    """A trouble that is in the log and is not over. `tries` counts the failed probes."""

    since_s: float
    tries: int = 0


class LaneTroubles:
    """Reports the troubles of both lanes, from begin to end."""

    def __init__(self, clock: Clock, log: Logger, troubles: ActiveTroubles) -> None:
        self._clock = clock
        self._log = log
        self._troubles = troubles
        self._logged: dict[str, _LoggedTrouble] = {}

    def report_failure(
        self, lane: Lane, before: CircuitState, after: CircuitState, code: str, message: str
    ) -> None:
        """Report that a trouble began or a probe failed. `message` is the provider's own text."""
        reason = after.reason
        if reason is None or (before.reason is reason and before.failed_probes == after.failed_probes):
            return
        cause, remedy = _cause(lane, reason, code, message), _REMEDIES[reason]
        self._troubles.record(
            _trouble_kind(reason), lane, cause, remedy, self._clock.now(), tries=after.failures
        )
        event = Event.PROVIDER_REFUSES if reason in ACCOUNT_HOLDS else Event.PROVIDER_UNREACHABLE
        fields = {"lane": _affected_lanes(lane, reason), "reason": reason, "code": code}
        logged = self._logged.get(_subject(lane, reason))
        if logged is None:
            self._logged[_subject(lane, reason)] = _LoggedTrouble(after.held_since_s)
            self._log.error(event, **fields, why=cause, what_to_do=remedy)
        elif after.failed_probes:
            logged.tries += 1
            if is_worth_logging(logged.tries):
                self._log.error(event, **fields, why=cause, tries=logged.tries)
            else:
                self._log.count_only(event, **fields)

    def report_recovery(self, lane: Lane, before: CircuitState, *, is_over: bool) -> None:
        """Report that a lane is not held any more for the old reason. `is_over`: no lane is held for it."""
        if before.reason is None:
            return
        self._troubles.resolve(_trouble_kind(before.reason), lane)
        subject = _subject(lane, before.reason)
        if subject == before.reason and not is_over:
            return  # the other lane still waits for its own probe
        logged = self._logged.pop(subject, None)
        if logged is not None:
            self._log.info(
                Event.PROVIDER_REACHABLE,
                lane=_affected_lanes(lane, before.reason),
                reason=before.reason,
                lasted_s=round(trio.current_time() - logged.since_s, 1),
                tries=logged.tries,
            )

    def report_campaign_refused(self, lane: Lane, campaign: str, code: str, message: str) -> None:
        """Report that the account is refused for this campaign's requests alone."""
        subject, detail = _campaign_subject(lane, campaign), ", ".join(filter(None, (code, message)))
        cause = (
            f'Exotel refuses the {_LANE_WORDS[lane]} of campaign "{campaign}", and takes those of '
            f"others ({detail})"
        )
        self._troubles.record(TroubleKind.PROVIDER_REFUSES, subject, cause, _OWN_REMEDY, self._clock.now())
        fields = {"lane": lane, "campaign": campaign, "code": code, "why": cause}
        self._log.log_throttled("error", Event.PROVIDER_REFUSES, subject, **fields, what_to_do=_OWN_REMEDY)

    def report_campaign_accepted(self, lane: Lane, campaign: str) -> None:
        """Report that a request of the campaign was accepted."""
        trouble = self._troubles.resolve(TroubleKind.PROVIDER_REFUSES, _campaign_subject(lane, campaign))
        if trouble is not None:
            self._log.reset_throttle(Event.PROVIDER_REFUSES, _campaign_subject(lane, campaign))
            lasted_s = (self._clock.now() - trouble.since).total_seconds()
            fields = {"lane": lane, "campaign": campaign, "tries": trouble.tries}
            self._log.info(Event.PROVIDER_REACHABLE, **fields, lasted_s=round(lasted_s, 1))


def _campaign_subject(lane: Lane, campaign: str) -> str:
    return f"{lane} of {campaign}"


def _trouble_kind(reason: Reason) -> TroubleKind:
    return TroubleKind.PROVIDER_REFUSES if reason in ACCOUNT_HOLDS else TroubleKind.PROVIDER_UNREACHABLE


def _subject(lane: Lane, reason: Reason) -> str:
    return reason if reason in ACCOUNT_HOLDS else lane


def _affected_lanes(lane: Lane, reason: Reason) -> str:
    return "voice, sms" if reason in ACCOUNT_HOLDS else lane


def _cause(lane: Lane, reason: Reason, code: str, message: str) -> str:
    detail = ", ".join(filter(None, (code, message)))
    if reason is Reason.PROVIDER_AUTH:
        return f"Exotel refuses our credentials ({detail})"
    if reason is Reason.ACCOUNT_PROBLEM:
        return f"Exotel says that the account cannot do this ({detail})"
    if code[:1].isdigit():
        return f"Exotel answers requests for {_LANE_WORDS[lane]} with errors only ({detail})"
    return f"Exotel cannot be reached for {_LANE_WORDS[lane]} ({detail})"
