"""Callbacks, SMS and webhooks: send a parked webhook again, say what became of an unknown outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from missedd.core.actions.resolution import RESOLUTION_OUTCOMES, Resolution
from missedd.core.model import Outcome
from missedd.operator_actions.description import (
    COUNT,
    TEXT,
    AnswerContext,
    Argument,
    ArgumentKind,
    ChangeRefused,
    CommandHelp,
    Form,
    OperatorAction,
    OperatorChange,
    Response,
)


@dataclass(frozen=True, slots=True)
class ResendWebhook(OperatorChange[int | None]):
    """Send a parked webhook again; the new action's id, or None if no webhook with this id is parked."""

    audit_action: ClassVar = "webhook.resent"
    action_id: int


async def _resent(context: AnswerContext, change: ResendWebhook, new_id: int | None) -> dict[str, Any]:
    if new_id is None:
        raise ChangeRefused(404, "no webhook with this id is parked")
    return {"id": new_id}


RESEND: Final = OperatorAction(
    name="resend",
    change=ResendWebhook,
    method="POST",
    path="/v1/actions/{action_id}/resend",
    operation_id="resendWebhook",
    summary="Send a parked webhook again",
    arguments=(Argument("action_id", ArgumentKind.ROW_ID, metavar="ACTION"),),
    response=Response(202, "Resent", {"id": {"type": "integer"}}, refusals=(400, 404)),
    subject="webhook {action_id}",
    done=lambda values, body, local: f"webhook {values['action_id']} is sent again, as action {body['id']}",
    answer=_resent,
    command=CommandHelp(
        help="send parked webhooks again, by the ids of their actions",
        description="If the application never accepts a webhook, the webhook is parked, with the "
        "outcome `failed` or `refused`, until somebody sends it again. The console and "
        "`GET /api/v1/actions?parked=true` list the parked webhooks. The message keeps "
        "its id, so an application that did receive it recognises it.",
        takes_many=True,
    ),
    form=Form(
        path="/deliveries/{action_id}/resend",
        place="parked webhook",
        button="Send again",
        label="Send webhook {action_id} again",
    ),
)


@dataclass(frozen=True, slots=True)
class ResendParkedWebhooks(OperatorChange[int]):
    """Send the latest parked webhooks again; how many went out. The console alone offers it."""

    audit_action: ClassVar = "webhook.resent"


@dataclass(frozen=True, slots=True)
class ResolveUnknown(OperatorChange[Resolution]):
    """Say what became of an action that ended as `unknown`, or whose answer was lost."""

    audit_action: ClassVar = "action.settled"
    action_id: int
    outcome: Outcome
    note: str | None


_REFUSALS: Final = {
    Resolution.NO_SUCH_ACTION: (404, "no action has this id", None),
    Resolution.NOT_UNKNOWN: (
        409,
        "its outcome is known: only an action that ended as `unknown`, or whose answer was lost, "
        "can be settled",
        None,
    ),
    Resolution.SETTLED_OTHERWISE: (409, "an operator has settled it before, with another outcome", None),
    Resolution.WRONG_OUTCOME: (400, "outcome: an action of this kind cannot have it", "outcome"),
}


async def _settled(context: AnswerContext, change: ResolveUnknown, resolution: Resolution) -> dict[str, Any]:
    if resolution in _REFUSALS:
        raise ChangeRefused(*_REFUSALS[resolution])
    return {"id": change.action_id, "outcome": Outcome.UNKNOWN, "settled_outcome": change.outcome}


SETTLE: Final = OperatorAction(
    name="settle",
    change=ResolveUnknown,
    method="POST",
    path="/v1/actions/{action_id}/settle",
    operation_id="settleAction",
    summary="Say what became of an action whose outcome is unknown",
    body_schema="Settle",
    arguments=(
        Argument(
            "action_id", ArgumentKind.ROW_ID, help="its id, as `missedd why` shows it", metavar="ACTION"
        ),
        Argument(
            "outcome",
            ArgumentKind.CHOICE,
            help="what became of it",
            choices=RESOLUTION_OUTCOMES,
            label="What became of it",
        ),
        Argument(
            "note",
            ArgumentKind.LINE,
            help="how you know, for whoever asks later",
            metavar="TEXT",
            is_option=True,
            is_required=False,
            label="How you know",
        ),
    ),
    response=Response(
        200,
        "Settled",
        {"id": COUNT, "outcome": TEXT, "settled_outcome": {"enum": list(RESOLUTION_OUTCOMES)}},
        refusals=(400, 404, 409),
    ),
    subject="action {action_id}",
    done=lambda values, body, local: f"action {values['action_id']} is settled: {values['outcome']}",
    answer=_settled,
    command=CommandHelp(
        help="say what became of a callback or an SMS whose outcome is unknown",
        description="If no answer came to a request, missedd looks for the action in the provider's "
        "list. If the list does not show it, the action ends as `unknown`. `GET "
        "/api/v1/actions?settled=false` lists these actions. The outcome that you give "
        "is stored beside the first one and counted in the figures; nobody is contacted.",
        epilog="example: missedd settle --config missedd.toml 4711 answered --note 'she told us so'",
    ),
    form=Form(
        path="/unknown/{action_id}/settle",
        place="unknown outcome",
        button="Settle",
        label="Settle action {action_id}",
    ),
)

ACTIONS: Final = (RESEND, SETTLE)
