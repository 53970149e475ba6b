"""From an answer to what it does: one table of policies for the provider, one for the application."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import assert_never

from missedd.core.actions.backoff import look_wait, wait_after_refusal, webhook_wait
from missedd.core.actions.lifecycle import Step
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import REFUSES_ALL, Reason
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.attempts import AttemptResult


@dataclass(frozen=True, slots=True)
class Settled:
    """What to record, and for how many seconds the whole budget has to pause, if at all."""

    result: AttemptResult
    pause_s: float | None = None


def settle(answer: Answer, kind: Kind, attempt: int, now: datetime, rng: Random) -> Settled:
    """Translate the answer to the `attempt`-th request (from 1) of an action; `now` is when it came."""
    if kind is Kind.WEBHOOK:
        return Settled(_delivery(answer, attempt, now, rng))
    match answer:
        case Accepted(provider_sid, code):
            wait_s = look_wait(State.PLACED, kind, 0) or 0.0
            return Settled(
                AttemptResult(
                    Step.ACCEPT,
                    "accepted",
                    code,
                    Reason.PROVIDER_ACCEPTED,
                    provider_sid=provider_sid,
                    wake_at=now + timedelta(seconds=wait_s),
                )
            )
        case Refused(retryable=True):
            wait_s = wait_after_refusal(answer.reason, attempt, answer.retry_after_s, rng)
            postponed = AttemptResult(
                Step.POSTPONE,
                "refused",
                answer.code,
                answer.reason,
                answer.message,
                wake_at=now + timedelta(seconds=wait_s),
            )
            return Settled(postponed, wait_s if answer.reason is Reason.RATE_LIMITED else None)
        case Refused(reason=reason) if reason in REFUSES_ALL:
            stalled = AttemptResult(Step.STALL, "refused", answer.code, reason, answer.message, holds=reason)
            return Settled(stalled)
        case Refused():
            return Settled(
                AttemptResult(
                    Step.REFUSE,
                    "refused",
                    answer.code,
                    answer.reason,
                    answer.message,
                    outcome=Outcome.REFUSED,
                    suppresses=answer.reason is Reason.DO_NOT_DISTURB,
                )
            )
        case Unknown(code, reason, message):
            wait_s = look_wait(State.ATTEMPTING, kind, 0) or 0.0
            return Settled(
                AttemptResult(
                    Step.LOSE, "unknown", code, reason, message, wake_at=now + timedelta(seconds=wait_s)
                )
            )
        case _:
            assert_never(answer)


def held_with_its_lane(settled: Settled, holds: Reason | None) -> Settled:
    """Let what was refused for now wait with its lane, where that is held, and not by a clock of its own."""
    result = settled.result
    if holds is None or result.step not in (Step.POSTPONE, Step.STALL):
        return settled
    return replace(settled, result=replace(result, step=Step.STALL, wake_at=None, holds=holds))


def _delivery(answer: Answer, attempt: int, now: datetime, rng: Random) -> AttemptResult:
    """A webhook may be sent again whatever happened: its id lets the application know it again."""
    match answer:
        case Accepted(code=code):
            return AttemptResult(
                Step.DELIVER, "accepted", code, Reason.WEBHOOK_DELIVERED, outcome=Outcome.DELIVERED
            )
        case Refused(retryable=False):
            return AttemptResult(
                Step.REFUSE, "refused", answer.code, answer.reason, answer.message, outcome=Outcome.FAILED
            )
        case Refused() | Unknown():
            asked_s = answer.retry_after_s if isinstance(answer, Refused) else None
            wait_s = webhook_wait(attempt, asked_s, rng)
            result = "refused" if isinstance(answer, Refused) else "unknown"
            if wait_s is None:
                return AttemptResult(
                    Step.REFUSE,
                    result,
                    answer.code,
                    Reason.RETRIES_EXHAUSTED,
                    answer.message,
                    outcome=Outcome.FAILED,
                )
            wake_at = now + timedelta(seconds=wait_s)
            return AttemptResult(
                Step.POSTPONE, result, answer.code, answer.reason, answer.message, wake_at=wake_at
            )
        case _:
            assert_never(answer)
