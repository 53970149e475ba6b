"""What a run comes to: the exchange's record of what happened, held against what the nodes wrote down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from missedd.core.model import Outcome
from simulator.exchange.model.ground_truth import MINUTE, max_in_window
from simulator.invariants.one_callback_a_person import overlapping_calls
from tests.chaos.figures import HEADING, KindFigures, Round, figures_by_kind
from tests.chaos.stored import Stored
from tests.real.kill_loop import placed_and_repeated_calls

REACHED = (Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.DELIVERED)
"""With these the exchange must know of a request."""


@dataclass(frozen=True, slots=True)
class ChaosResult:
    acknowledged: int
    callbacks: int
    sms: int
    in_doubt: int
    """Actions of which an attempt was cut off from its answer and not found yet: never repeated."""
    most_a_minute: Mapping[str, int]
    """The most requests in any minute, by budget."""
    failures: Mapping[str, list[str]]
    """What was found by each check; empty lists where all is as promised."""
    figures: Mapping[str, KindFigures]

    @property
    def passed(self) -> bool:
        return not any(self.failures.values())

    def __str__(self) -> str:
        busiest = " and ".join(f"{most} of {budget}" for budget, most in self.most_a_minute.items())
        return "\n".join(
            (
                HEADING,
                *(f"{kind:16} {figures}" for kind, figures in self.figures.items()),
                f"{self.acknowledged} calls acknowledged, {self.callbacks} callbacks and {self.sms} SMS, "
                f"{self.in_doubt} in doubt; the busiest minute had {busiest}",
                ", ".join(f"{check} {len(found)}" for check, found in self.failures.items()),
                *(f"{check}: {' '.join(found[:20])}" for check, found in self.failures.items() if found),
            )
        )


def judge(
    truth: Mapping[str, Any], stored: Stored, rounds: Iterable[Round], per_minute: int, ended_at: datetime
) -> ChaosResult:
    """Compare. The callers are silent by then, and nothing is due any more."""
    acknowledged = {
        each["call_sid"]
        for each in truth["deliveries"]
        if each["kind"] == "missed-call" and each["status"] == 200
    }
    callbacks, sms = (
        Counter(each["fields"]["CustomField"] for each in truth[what]) for what in ("connects", "texts")
    )
    reached = {name for name, action in stored.actions.items() if action.outcome in REACHED}
    made, again = placed_and_repeated_calls(
        truth, {sid: {"verdict": verdict} for sid, verdict in stored.verdicts.items()}
    )
    asked = [(datetime.fromisoformat(each["at"]), each) for each in truth["api_requests"]]
    most_a_minute = {
        "voice": max_in_window((at for at, each in asked if each["is_voice"]), MINUTE),
        "SMS": max_in_window((at for at, each in asked if each["target"] == "sms"), MINUTE),
    }
    return ChaosResult(
        acknowledged=len(acknowledged),
        callbacks=callbacks.total(),
        sms=sms.total(),
        in_doubt=sum(action.is_in_doubt for action in stored.actions.values()),
        most_a_minute=most_a_minute,
        failures={
            "lost": sorted(acknowledged - stored.verdicts.keys()),
            "doubled callbacks": [action for action, times in callbacks.items() if times > 1],
            "doubled SMS": [action for action, times in sms.items() if times > 1],
            "never planned": sorted((callbacks.keys() | sms.keys()) - stored.actions.keys()),
            "over budget": [budget for budget, most in most_a_minute.items() if most > per_minute],
            "rung at once": [call.sid for call, _, _ in overlapping_calls(made, lambda number: 1)],
            "spoken with": [call.sid for call, _, is_wished in again if not is_wished],
            "never made": sorted(reached - callbacks.keys() - sms.keys()),
            "without an outcome": [
                f"{name} ({action})" for name, action in stored.actions.items() if action.is_forgotten
            ],
        },
        figures=figures_by_kind(rounds, truth, stored.actions, ended_at),
    )
