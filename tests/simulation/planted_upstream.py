"""Mistakes about a provider that is in trouble, each a small patch, and the promise that must break by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from random import Random

import pytest

from missedd.core.actions.lifecycle import ActionEvent
from missedd.core.model import Kind, Outcome
from missedd.core.reasons import ACCOUNT_REFUSALS
from missedd.engine.dispatch.attempt_result import AttemptDecision, interpret_answer
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.exotel.request_result import Answer, Refused
from tests.simulation.planted import PlantedMistake


def close_what_the_account_is_refused(patch: pytest.MonkeyPatch) -> None:
    def final(answer: Answer, kind: Kind, attempt: int, now: datetime, rng: Random) -> AttemptDecision:
        settled = interpret_answer(answer, kind, attempt, now, rng)
        if not isinstance(answer, Refused) or answer.reason not in ACCOUNT_REFUSALS:
            return settled
        closed = replace(settled.result, event=ActionEvent.REFUSE, outcome=Outcome.REFUSED, hold_reason=None)
        return replace(settled, result=closed)

    patch.setattr("missedd.engine.dispatch.dispatcher.interpret_answer", final)


def ask_again_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.upstream.circuit_breaker.PROBE_BACKOFF_S", (1.0, 2.0))


def forget_what_waits_for_the_provider(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Dispatcher) -> None:
        pass

    patch.setattr(Dispatcher, "release_held", nothing)


MISTAKES_ABOUT_OUTAGES = (
    PlantedMistake(close_what_the_account_is_refused, ("P6 held",)),
    PlantedMistake(ask_again_at_once, ("P3 probes",)),
    PlantedMistake(forget_what_waits_for_the_provider, ("P6 held",)),
)
