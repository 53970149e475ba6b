"""The campaigns as they stand, their pauses and what waits for them; and the quarantine after a restore."""

from __future__ import annotations

from typing import Annotated

from missedd.base.clock import to_iso
from missedd.core.actions.possible_outcomes import OPEN_STATES
from missedd.core.admission.pauses import Pause
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, Number, about, one_of
from missedd.core.audit import Source
from missedd.core.model import Kind


class ByJson(ApiObject, frozen=True):
    """Who acted, as far as is known."""

    source: Annotated[str, one_of(Source)]
    peer: str | None


class InForceJson(ApiObject, frozen=True):
    """A pause that is in force."""

    since: Instant
    until: Instant | None
    why: str
    by: ByJson

    @classmethod
    def of(cls, pause: Pause) -> InForceJson:
        by = ByJson(pause.by.source, pause.by.peer)
        return cls(to_iso(pause.since), to_iso(pause.until), pause.why, by)


class PendingJson(ApiObject, frozen=True):
    """How many actions of a kind wait, or are out, for one reason."""

    kind: Annotated[str, one_of(Kind)]
    state: Annotated[str, one_of(OPEN_STATES)]
    reason: str
    reason_words: str
    count: Count


class CampaignJson(ApiObject, frozen=True):
    """A campaign as it stands now."""

    name: str
    exophones: list[Number]
    owes: list[Annotated[str, one_of(Kind)]]
    open: Annotated[bool, about("Whether these are its business hours.")]
    opens_at: Annotated[Instant | None, about("While it is closed.")]
    paused: InForceJson | None
    pending: list[PendingJson]


class CampaignsJson(ApiObject, frozen=True):
    """All campaigns of the configuration, in its order."""

    items: list[CampaignJson]


class QuarantineJson(ApiObject, frozen=True):
    """What waits after a restore. `since` is its instant, null while nothing waits."""

    since: Instant | None
    actions: Count
