"""The gauges of the metrics that the store can tell, cheap enough to be asked for every few seconds.

What they cost grows with what is open, not with what was ever done: each looks into an index that
holds only what is wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missedd.base.clock import to_us
from missedd.core.reasons import Reason
from missedd.store.actions.agent_misses import absent_agents
from missedd.store.actions.pauses import pauses_in_force
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.reads.attention import attention_counts, early_webhook_counts
from missedd.store.reads.refused_sms import refused_sms
from missedd.store.sqlite.migrate import LATEST_VERSION

_OPEN: Final = """
SELECT kind, state, iif(state = 'held', reason, ''), count(*),
       count(*) FILTER (WHERE wake_at <= ? AND state IN ('planned', 'held')),
       min(iif(state IN ('planned', 'held'), wake_at, NULL))
FROM actions WHERE state != 'done' GROUP BY 1, 2, 3"""

_CALLS_SEARCHED: Final = 100
_LAST_WEBHOOK: Final = """
SELECT max(received_at) FROM (SELECT received_at, shape FROM calls ORDER BY id DESC LIMIT ?) latest
WHERE shape != 'recovered'"""


@dataclass(frozen=True, slots=True)
class StoreGauges:
    """What waits and what is out. Instants are in microseconds since 1970 UTC, None where there is none."""

    open: Mapping[tuple[str, str], int]
    """Actions that are not done, by kind and state."""
    held: Mapping[tuple[str, str], int]
    """Those that wait, by kind and reason."""
    due: Mapping[str, tuple[int, int]]
    """By kind: how many wait for their turn, and since when the first of them."""
    next_wake_at: int | None
    suppressions: int
    agents_absent: int
    attention: Mapping[str, int]
    """How many webhooks are `parked`, outcomes `unknown`, and answers `lost`."""
    quarantined: int
    paused: Sequence[str]
    sms_misconfigured: Mapping[tuple[str, str | None], int]
    """By campaign and code."""
    told_early: Mapping[str, int]
    """By campaign."""
    last_webhook_at: int | None
    """That of the latest calls; a redelivery is none."""
    schema: int


async def gauges(db: ReadOnlyDatabase, now: datetime) -> StoreGauges:
    now_us = to_us(now)
    counts: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    due: dict[str, tuple[int, int]] = {}
    for kind, state, reason, n, due_now, first_us in await db.fetch_all(_OPEN, (now_us,)):
        counts[kind, state] += n
        if reason:
            held[kind, reason] += n
        if due_now:
            before, since_us = due.get(kind, (0, first_us))
            due[kind] = (before + due_now, min(since_us, first_us))
    wake = await db.fetch_all("SELECT min(wake_at) FROM actions WHERE wake_at IS NOT NULL")
    barred = await db.fetch_all(
        "SELECT count(DISTINCT number) FROM suppressions WHERE until_at IS NULL OR until_at > ?", (now_us,)
    )
    latest = await db.fetch_all(_LAST_WEBHOOK, (_CALLS_SEARCHED,))
    refused = await refused_sms(db, now)
    return StoreGauges(
        open=counts,
        held=held,
        due=due,
        next_wake_at=wake[0][0],
        suppressions=barred[0][0],
        agents_absent=len(await absent_agents(db)),
        attention=await attention_counts(db),
        quarantined=sum(n for (_, reason), n in held.items() if reason == Reason.QUARANTINED),
        paused=sorted(await pauses_in_force(db, now)),
        sms_misconfigured={(each.campaign, each.code): each.count for each in refused},
        told_early=await early_webhook_counts(db, now),
        last_webhook_at=latest[0][0],
        schema=LATEST_VERSION,
    )
