"""Decides what follows an answer: one table for the provider, one for applications."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final, assert_never

from missedd.core.actions.backoff import lookup_backoff, refusal_backoff, webhook_backoff
from missedd.core.actions.lifecycle import ActionEvent
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import ACCOUNT_REFUSALS, Reason
from missedd.engine.leadership.term import TOO_LATE
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.attempts import AttemptResult

TOO_LATE_WAIT_S: Final = 1.0
"""How long an action waits whose claim took too long: the next claim would hardly be faster at once."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The request of a claim was not sent. `why` is what the term says: see `Term.why_not_send`."""

    why: str


@dataclass(frozen=True, slots=True)
class AttemptDecision:
    """What to record, and for how many seconds the lane's rate limiter must pause; None for no pause."""

    result: AttemptResult
    pause_s: float | None = None


def interpret_answer(answer: Answer, kind: Kind, attempt: int, now: datetime, rng: Random) -> AttemptDecision:
    """Decide by the answer to an action's request. `attempt` counts from 1; `now` is when the answer came."""
    if kind is Kind.WEBHOOK:
        return AttemptDecision(_interpret_webhook_answer(answer, attempt, now, rng))
    match answer:
        case Accepted(provider_sid, code):
            wait_s = lookup_backoff(State.PLACED, kind, 0) or 0.0
            return AttemptDecision(
                AttemptResult(
                    ActionEvent.ACCEPT,
                    "accepted",
                    code,
                    Reason.PROVIDER_ACCEPTED,
                    provider_sid=provider_sid,
                    wake_at=now + timedelta(seconds=wait_s),
                )
            )
        case Refused(retryable=True):
            wait_s = refusal_backoff(answer.reason, attempt, answer.retry_after_s, rng)
            postponed = AttemptResult(
                ActionEvent.POSTPONE,
                "refused",
                answer.code,
                answer.reason,
                answer.message,
                wake_at=now + timedelta(seconds=wait_s),
            )
            return AttemptDecision(postponed, wait_s if answer.reason is Reason.RATE_LIMITED else None)
        case Refused(reason=reason) if reason in ACCOUNT_REFUSALS:
            stalled = AttemptResult(
                ActionEvent.HOLD_LANE, "refused", answer.code, reason, answer.message, hold_reason=reason
            )
            return AttemptDecision(stalled)
        case Refused():
            return AttemptDecision(
                AttemptResult(
                    ActionEvent.REFUSE,
                    "refused",
                    answer.code,
                    answer.reason,
                    answer.message,
                    outcome=Outcome.REFUSED,
                    suppresses_number=answer.reason is Reason.DO_NOT_DISTURB,
                )
            )
        case Unknown(code, reason, message):
            wait_s = lookup_backoff(State.ATTEMPTING, kind, 0) or 0.0
            return AttemptDecision(
                AttemptResult(
                    ActionEvent.REPLY_LOST,
                    "unknown",
                    code,
                    reason,
                    message,
                    wake_at=now + timedelta(seconds=wait_s),
                )
            )
        case _:
            assert_never(answer)


def give_back(withheld: Withheld, now: datetime) -> AttemptDecision:
    """Decide about an attempt whose request was not sent: it had no effect, and the action is due again."""
    wait_s = TOO_LATE_WAIT_S if withheld.why == TOO_LATE else 0.0
    return AttemptDecision(
        AttemptResult(
            ActionEvent.POSTPONE,
            "refused",
            withheld.why,
            Reason.GIVEN_BACK,
            wake_at=now + timedelta(seconds=wait_s),
        )
    )


def hold_with_lane(decision: AttemptDecision, reason: Reason | None) -> AttemptDecision:
    """If the lane is held, let a postponed action wait for the lane instead of a timer of its own."""
    result = decision.result
    if reason is None or result.event not in (ActionEvent.POSTPONE, ActionEvent.HOLD_LANE):
        return decision
    return replace(
        decision, result=replace(result, event=ActionEvent.HOLD_LANE, wake_at=None, hold_reason=reason)
    )


def _interpret_webhook_answer(answer: Answer, attempt: int, now: datetime, rng: Random) -> AttemptResult:
    """Decide by an application's answer. A webhook may always be sent again: the application knows its id."""
    match answer:
        case Accepted(code=code):
            return AttemptResult(
                ActionEvent.DELIVER, "accepted", code, Reason.WEBHOOK_DELIVERED, outcome=Outcome.DELIVERED
            )
        case Refused(retryable=False):
            return AttemptResult(
                ActionEvent.REFUSE,
                "refused",
                answer.code,
                answer.reason,
                answer.message,
                outcome=Outcome.FAILED,
            )
        case Refused() | Unknown():
            asked_s = answer.retry_after_s if isinstance(answer, Refused) else None
            wait_s = webhook_backoff(attempt, asked_s, rng)
            result = "refused" if isinstance(answer, Refused) else "unknown"
            if wait_s is None:
                return AttemptResult(
                    ActionEvent.REFUSE,
                    result,
                    answer.code,
                    Reason.RETRIES_EXHAUSTED,
                    answer.message,
                    outcome=Outcome.FAILED,
                )
            wake_at = now + timedelta(seconds=wait_s)
            return AttemptResult(
                ActionEvent.POSTPONE, result, answer.code, answer.reason, answer.message, wake_at=wake_at
            )
        case _:
            assert_never(answer)
