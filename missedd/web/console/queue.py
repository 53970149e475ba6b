"""The queue page: backlog by lane with its forecast, held actions by reason, and the next actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Final

from quart import Blueprint

from missedd.core.analytics.backlog_forecast import Backlog, forecast_backlog
from missedd.core.api_types.campaigns import PendingJson
from missedd.core.model import LANE_BY_KIND, Kind, Lane, State
from missedd.store.reads import reader
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page

SHOWN_DUE: Final = 50


def add_queue(console: Blueprint, context: ConsoleContext) -> None:
    @console.get("/queue")
    async def queue() -> str:
        by_campaign = await context.query_cache.get(
            "pending", partial(context.read, reader.open_action_counts)
        )
        pending = list(chain.from_iterable(by_campaign.values()))
        backlogs = await context.query_cache.get(
            "backlogs", lambda: context.read(reader.backlogs, context.clock.now())
        )
        return await render_page(
            "queue.html",
            here="/queue",
            lanes=list(
                lane_backlogs(backlogs, context.requests_per_minute, context.hold_reason, context.local_now())
            ),
            held=held_by_reason(pending),
            out=sum(each.count for each in pending if each.state in (State.ATTEMPTING, State.PLACED)),
            due=await context.read(reader.next_actions, context.clock.now(), SHOWN_DUE),
            paused=await context.read(reader.pauses_json, context.clock.now()),
            quarantine=await context.read(reader.quarantine),
        )


@dataclass(frozen=True, slots=True)
class QueueLane:
    """A kind's backlog, and at what time it will be gone at the account's rate, where there is one and its
    lane goes."""

    kind: Kind
    due: int
    soon: int
    rate: int | None
    held: str | None
    gone_at: datetime | None
    expiring: int


def lane_backlogs(
    backlogs: Mapping[Kind, Backlog],
    requests_per_minute: Mapping[Lane, int],
    hold_reason: Callable[[Lane], str | None],
    now: datetime,
) -> Iterator[QueueLane]:
    for kind, backlog in backlogs.items():
        lane = LANE_BY_KIND[kind]
        rate = requests_per_minute.get(lane)
        why_held = None if rate is None else hold_reason(lane)
        ahead = None if rate is None or why_held is not None else forecast_backlog(backlog, rate)
        yield QueueLane(
            kind,
            backlog.due_now,
            backlog.due_soon,
            rate,
            held=None if why_held is None else why_held.replace("-", " "),
            gone_at=None if ahead is None else now + ahead.clears_in,
            expiring=0 if ahead is None else ahead.expiring,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """How many actions wait for one reason."""

    reason: str
    words: str
    count: int


def held_by_reason(pending: Iterable[PendingJson]) -> list[Held]:
    """Count the held actions by reason, the most frequent reason first."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in pending:
        if each.state == State.HELD:
            counts[each.reason, each.reason_words] += each.count
    return [Held(reason, words, n) for (reason, words), n in counts.most_common()]
