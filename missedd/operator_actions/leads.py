"""Leads: say how far one is, and what callers became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from missedd.core.people.conversions import ConversionInput, ConversionResult
from missedd.core.people.leads import LeadStatus
from missedd.operator_actions.description import (
    AnswerContext,
    Argument,
    ArgumentKind,
    ChangeRefused,
    Form,
    OperatorAction,
    OperatorChange,
    Response,
)


@dataclass(frozen=True, slots=True)
class MarkLead(OperatorChange[bool]):
    """Say how far a lead is; False if there is no such lead."""

    audit_action: ClassVar = "lead.marked"
    lead_id: int
    status: LeadStatus


async def _marked(context: AnswerContext, change: MarkLead, is_known: bool) -> Any:
    lead = await context.reads.lead(change.lead_id)
    if lead is None:
        raise ChangeRefused(404, "no lead has this id")
    return lead


MARK_LEAD: Final = OperatorAction(
    name="mark-lead",
    change=MarkLead,
    method="PATCH",
    path="/v1/leads/{lead_id}",
    operation_id="markLead",
    summary="Say how far a lead is",
    body_schema="MarkLead",
    arguments=(
        Argument("lead_id", ArgumentKind.ROW_ID, row_of="lead"),
        Argument(
            "status",
            ArgumentKind.CHOICE,
            help="what the lead is",
            choices=tuple(LeadStatus),
            label="Status",
        ),
    ),
    response=Response(200, "Lead", refusals=(400, 404)),
    subject="lead {lead_id}",
    done=lambda values, body, local: f"lead {values['lead_id']} is {values['status']}",
    answer=_marked,
    form=Form(path="/leads/{lead_id}/status", place="lead", button="Save"),
)


@dataclass(frozen=True, slots=True)
class RecordConversions(OperatorChange[list[ConversionResult]]):
    """Keep what callers became, each once, and answer for each in order; a `dry_run` only answers.

    The API has its own routes for it: what they take and answer is data of the business, not a few words.
    """

    audit_action: ClassVar = "conversions.recorded"
    conversions: tuple[ConversionInput, ...]
    dry_run: bool


ACTIONS: Final = (MARK_LEAD,)
