"""Campaigns: pause, resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from missedd.base.clock import to_iso
from missedd.config.values import closest_match
from missedd.core.admission.pauses import Pause
from missedd.core.audit import Source
from missedd.operator_actions.description import (
    INSTANT,
    TEXT,
    AnswerContext,
    Argument,
    ArgumentKind,
    ChangeRefused,
    CommandHelp,
    Form,
    Json,
    OperatorAction,
    OperatorChange,
    Response,
    Values,
    or_null,
    until_argument,
    why_argument,
)

if TYPE_CHECKING:
    from missedd.core.policy import Policy

_NAME: Final = Argument("name", ArgumentKind.NAME, metavar="CAMPAIGN")
_PAUSED_BY: Final[Json] = {
    "type": "object",
    "properties": {"source": {"enum": list(Source)}, "peer": or_null(TEXT)},
    "required": ["source", "peer"],
}
PAUSE_PROPERTIES: Final[Json] = {
    "since": INSTANT,
    "until": or_null(INSTANT),
    "why": TEXT,
    "by": _PAUSED_BY,
}
"""The properties of a pause that is in force."""


@dataclass(frozen=True, slots=True)
class PauseCampaign(OperatorChange[Pause]):
    """Call and text nobody for a campaign; it replaces a pause that is in force."""

    audit_action: ClassVar = "campaign.paused"
    name: str
    why: str
    until: datetime | None


def require_campaign(policy: Policy, name: str) -> None:
    """Raise `ChangeRefused` unless the configuration has a campaign of this name."""
    if policy.campaign(name) is not None:
        return
    known = [campaign.name for campaign in policy.campaigns]
    meant = closest_match(name, known)
    hint = f"; did you mean {meant!r}?" if meant else ""
    listed = ", ".join(known) or "none"
    raise ChangeRefused(404, f"there is no campaign {name!r} in the configuration; known are {listed}{hint}")


def _check_pause(policy: Policy, change: PauseCampaign) -> None:
    require_campaign(policy, change.name)


async def _paused(context: AnswerContext, change: PauseCampaign, pause: Pause) -> dict[str, Any]:
    by = {"source": pause.by.source, "peer": pause.by.peer}
    times = {"since": to_iso(pause.since), "until": to_iso(pause.until)}
    return {"campaign": pause.campaign, **times, "why": pause.why, "by": by}


def _pause_done(values: Values, body: Mapping[str, Any], local: Callable[[str], str]) -> str:
    end = local(body["until"]) if body["until"] else "it is resumed"
    return f"campaign {values['name']} is paused until {end}"


PAUSE: Final = OperatorAction(
    name="pause",
    change=PauseCampaign,
    method="POST",
    path="/v1/campaigns/{name}/pause",
    operation_id="pauseCampaign",
    summary="Call and text nobody for a campaign, until an instant or until it is resumed; a pause that is "
    "in force already is replaced",
    arguments=(
        _NAME,
        why_argument("why", "W"),
        until_argument("90m", "until `missedd resume`"),
    ),
    body_schema="Pause",
    response=Response(201, "Paused", {"campaign": TEXT, **PAUSE_PROPERTIES}, refusals=(404,)),
    subject="{name}",
    done=_pause_done,
    check=_check_pause,
    answer=_paused,
    command=CommandHelp(
        help="stop a campaign's callbacks and SMS until it is resumed",
        description="Callbacks and SMS of the campaign wait; those that grow older than "
        "give_up_after expire. Calls are still received, decided and counted, and leads, "
        "votes, lists and webhooks work as before. A pause that is in force is replaced.",
        epilog="example: missedd pause --config missedd.toml admissions --why 'agents at lunch' --until 1h",
    ),
    form=Form(
        path="/campaigns/{name}/pause",
        place="campaign",
        button="Pause {name}",
        note="Callbacks and SMS wait, and expire after give_up_after. Calls are still received and counted.",
        durations={
            "30m": ("for 30 minutes", timedelta(minutes=30)),
            "1h": ("for an hour", timedelta(hours=1)),
            "2h": ("for two hours", timedelta(hours=2)),
            "4h": ("for four hours", timedelta(hours=4)),
            "8h": ("for eight hours", timedelta(hours=8)),
            "": ("until somebody resumes it", None),
        },
    ),
)


@dataclass(frozen=True, slots=True)
class ResumeCampaign(OperatorChange[bool]):
    """End a campaign's pause; False if it is not paused."""

    audit_action: ClassVar = "campaign.resumed"
    name: str


async def _resumed(context: AnswerContext, change: ResumeCampaign, was_paused: bool) -> None:
    if not was_paused:
        # A campaign that has left the configuration may still be paused, so the name is checked only here.
        require_campaign(context.policy, change.name)
        raise ChangeRefused(404, "the campaign is not paused")


RESUME: Final = OperatorAction(
    name="resume",
    change=ResumeCampaign,
    method="DELETE",
    path="/v1/campaigns/{name}/pause",
    operation_id="resumeCampaign",
    summary="End a campaign's pause",
    arguments=(_NAME,),
    response=Response(204, refusals=(404,)),
    subject="{name}",
    done=lambda values, body, local: f"campaign {values['name']} is resumed",
    answer=_resumed,
    command=CommandHelp(
        help="end a campaign's pause",
        description="Callbacks and SMS that waited are sent as soon as the gates allow. A person who "
        "called several times meanwhile gets one callback.",
        epilog="example: missedd resume --config missedd.toml admissions",
    ),
    form=Form(path="/campaigns/{name}/resume", place="paused campaign", button="Resume {name}"),
)

ACTIONS: Final = (PAUSE, RESUME)
