"""The quarantine after a restore: end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from missedd.operator_actions.description import (
    COUNT,
    AnswerContext,
    Argument,
    ArgumentKind,
    Form,
    OperatorAction,
    OperatorChange,
    Response,
)


@dataclass(frozen=True, slots=True)
class ReleaseQuarantine(OperatorChange[int]):
    """End the quarantine after a restore; how many actions were released, or dropped."""

    audit_action: ClassVar = "quarantine.ended"
    drop: bool = False


async def _released(context: AnswerContext, change: ReleaseQuarantine, count: int) -> dict[str, Any]:
    return {"actions": count}


RELEASE: Final = OperatorAction(
    name="release",
    change=ReleaseQuarantine,
    method="POST",
    path="/v1/quarantine/release",
    operation_id="releaseQuarantine",
    summary="Release or drop the actions that wait after a restore",
    body_schema="Release",
    arguments=(
        Argument("drop", ArgumentKind.FLAG, help="whether to release or to drop them", is_required=False),
    ),
    response=Response(200, "Released", {"actions": COUNT}, refusals=(400,)),
    subject="quarantine",
    done=lambda values, body, local: (
        f"{body['actions']:,} actions {'dropped' if values['drop'] else 'released'}; the quarantine is over"
    ),
    answer=_released,
    # `missedd release` is a module of its own: without a daemon it opens the database itself.
    command=None,
    form=Form(
        path="/quarantine/release",
        place="quarantine",
        button="Release",
        flags=(("false", "Release them"), ("true", "Drop them")),
    ),
)

ACTIONS: Final = (RELEASE,)
