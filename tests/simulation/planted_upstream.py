"""Mistakes about a provider that is in trouble, each a small patch, and the promise that must break by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from random import Random

import pytest

from missedd.core.actions.lifecycle import Step
from missedd.core.model import Kind, Outcome
from missedd.core.reasons import REFUSES_ALL
from missedd.engine.dispatch.attempt_result import Settled, settle
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.exotel.request_result import Answer, Refused
from tests.simulation.planted import Mistake


def close_what_the_account_is_refused(patch: pytest.MonkeyPatch) -> None:
    def final(answer: Answer, kind: Kind, attempt: int, now: datetime, rng: Random) -> Settled:
        settled = settle(answer, kind, attempt, now, rng)
        if not isinstance(answer, Refused) or answer.reason not in REFUSES_ALL:
            return settled
        closed = replace(settled.result, step=Step.REFUSE, outcome=Outcome.REFUSED, holds=None)
        return replace(settled, result=closed)

    patch.setattr("missedd.engine.dispatch.dispatcher.settle", final)


def ask_again_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.upstream.circuit_breaker.PROBE_WAITS_S", (1.0, 2.0))


def forget_what_waits_for_the_provider(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Dispatcher) -> None:
        pass

    patch.setattr(Dispatcher, "release", nothing)


ABOUT_UPSTREAM = (
    Mistake(close_what_the_account_is_refused, ("P6 held",)),
    Mistake(ask_again_at_once, ("P3 probes",)),
    Mistake(forget_what_waits_for_the_provider, ("P6 held",)),
)
