"""Actions: what is owed for a call, what became of it, and the requests and reports of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from missedd.core.actions.resolution import RESOLUTION_OUTCOMES
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, Number, about, one_of
from missedd.core.model import Kind, Outcome, State
from missedd.core.polls.voting_rules import VoteStatus


class AttemptJson(ApiObject, frozen=True):
    """A request for an action, and how it was answered."""

    number: Annotated[int, Meta(ge=1)]
    started_at: Instant
    finished_at: Instant | None
    result: Annotated[str, one_of(("accepted", "refused", "unknown"))] | None
    code: str | None
    reason: str | None
    reason_words: str | None
    provider_sid: str | None
    message: str | None


class ReportJson(ApiObject, frozen=True):
    """What the provider said of an action after it had taken the request."""

    received_at: Instant
    source: Annotated[str, one_of(("report", "look-up"))]
    status: str
    code: str | None
    provider_sid: str
    effect: str


class VoteJson(ApiObject, frozen=True):
    """How a vote stands now."""

    poll: str
    option: str
    standing: Annotated[str, one_of(VoteStatus)]


class BriefActionJson(ApiObject, frozen=True):
    """What is said of an action wherever it is shown."""

    id: Count
    kind: Annotated[str, one_of(Kind)]
    state: Annotated[str, one_of(State)]
    outcome: Annotated[str, one_of(Outcome)] | None
    due_at: Instant
    reason: str
    reason_words: str
    plan: Annotated[str, one_of(("open", "after-hours"))]
    placed_at: Instant | None
    closed_at: Instant | None
    provider_sid: str | None
    expires_at: Instant | None
    retry_index: Count
    origin: int | None
    settled_outcome: Annotated[str, one_of(RESOLUTION_OUTCOMES)] | None
    settled_at: Instant | None
    settled_note: str | None
    answered_at: Instant | None
    code: Annotated[str, about("The provider's, with which it ended.")] | None
    # The facts that `missedd.core.actions.details` has labels for.
    agent: Annotated[str, about("The agent whom the callback connects, E.164.")] | None
    first: Annotated[Annotated[str, one_of(("agent", "customer"))] | None, about("Whose phone rang first.")]
    caller_id: (
        Annotated[str, about("The ExoPhone shown to the caller, if it is not the one they called.")] | None
    )
    talk_s: Annotated[Count, about("Seconds of conversation; with a flow, seconds of the call.")] | None
    recording_url: Annotated[str, about("The provider's address of the recording.")] | None
    price: Annotated[str, about("What the provider charged, in the account's currency.")] | None
    text: Annotated[str, about("The text of the SMS as it was sent, or as the SMS applet fetched it.")] | None
    replaced_by: Annotated[Count, about("The callback for another call of this caller that remained.")] | None
    units: Annotated[Count, about("How many SMS the provider bills for the text.")] | None


CodeWords = Annotated[str, about("Why an SMS with this code was not delivered.")] | None


class ActionJson(BriefActionJson, frozen=True):
    """An action in the story of its call."""

    vote: VoteJson | None
    attempts: list[AttemptJson]
    reports: list[ReportJson]
    code_words: CodeWords


class ListedActionJson(BriefActionJson, frozen=True):
    """An action in a list, with the call that it is owed for."""

    csv_after: ClassVar[Mapping[str, str]] = {
        "call_sid": "id",
        "campaign": "call_sid",
        "number": "kind",
        "code_words": "code",
    }

    campaign: str
    number: Number
    call_sid: str
    code_words: CodeWords


class StuckActionJson(ListedActionJson, frozen=True):
    """An action that waits for a person: `code` and `message` are those of its last attempt."""

    attempts: Count
    message: str | None
