"""Polls as they stand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from missedd.base.clock import to_iso
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, about, one_of
from missedd.core.polls.tally import POLL_STATES, UNCOUNTED_STATUSES, Tally, poll_state
from missedd.core.polls.voting_rules import VoteStatus


class OptionJson(ApiObject, frozen=True):
    """An option with the votes that count for it."""

    option: str
    votes: Count


class NotCountedJson(ApiObject, frozen=True):
    """The votes that do not count, by the reason for it."""

    surplus: Count
    replaced: Count
    early: Count
    late: Count
    foreign: Count | UnsetType = UNSET

    def by_reason(self) -> dict[str, int]:
        """As a table, without what does not concern this poll."""
        counts = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: count for name, count in counts if count is not UNSET}


class PollJson(ApiObject, frozen=True):
    """A poll as it stands: its votes, and the rules by which they count."""

    poll: str
    state: Annotated[str, one_of(POLL_STATES, "By the clock; calls made in time count when they come.")]
    total: Count
    options: list[OptionJson]
    refused: NotCountedJson
    opens_at: Instant | None
    closes_at: Instant | None
    votes_per_number: Annotated[int, Meta(ge=1)]
    keep: Annotated[str, one_of(("first", "last"))]
    countries: Annotated[
        list[str] | UnsetType, about("Where the configuration says whose votes count: ISO 3166 codes.")
    ] = UNSET


def poll_json(tally: Tally, options: Iterable[str], now: datetime) -> PollJson:
    """A poll with the options of the configuration, then those that it has no longer."""
    rules = tally.rules
    shown = dict.fromkeys(options) | dict.fromkeys(sorted({option for option, _ in tally.counts}))
    not_counted = {
        standing.value: tally.count_with_status(standing)
        for standing in UNCOUNTED_STATUSES
        # Told of where it can be: a poll without countries is what it always was.
        if standing is not VoteStatus.FOREIGN
        or rules.countries is not None
        or tally.count_with_status(standing)
    }
    return PollJson(
        poll=rules.name,
        state=poll_state(rules, now),
        total=tally.total,
        options=[OptionJson(option, tally.votes(option)) for option in shown],
        refused=NotCountedJson(**not_counted),
        opens_at=to_iso(rules.opens_at),
        closes_at=to_iso(rules.closes_at),
        votes_per_number=rules.votes_per_number,
        keep=rules.keep,
        countries=UNSET if rules.countries is None else sorted(rules.countries),
    )
