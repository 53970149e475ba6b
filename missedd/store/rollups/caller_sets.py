"""Who rang, kept as sets of small numbers by campaign and stretch, so that callers are counted by union.

A caller's id is given once, in the order of appearance, which keeps the sets dense and small. Sets
of more than a stretch are the union of those below them; they are made when the last of these is
there, and a caller who is told of later is added to them too.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from pyroaring import BitMap

from missedd.core.analytics import time_buckets
from missedd.core.analytics.time_buckets import BucketRun, PeriodParts, cover_with_buckets
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.rollups.facts import COUNTED_VERDICTS_SQL, time_bucket_sql

_IS_COUNTED: Final = f"campaign IS NOT NULL AND caller IS NOT NULL AND verdict IN ({COUNTED_VERDICTS_SQL})"


class NewCaller(NamedTuple):
    """A number that rang a campaign in a stretch."""

    campaign: str
    time_bucket: int
    number: str


async def callers_in_bucket(
    db: Database, campaign: str, since_us: int, until_us: int, time_bucket: int
) -> list[NewCaller]:
    """Who rang a campaign at or after `since_us` and before `until_us`, which is `stretch`."""
    rows = await db.fetch_all(
        f"""SELECT DISTINCT campaign, ?, caller FROM calls
            WHERE campaign = ? AND called_at >= ? AND called_at < ? AND {_IS_COUNTED}""",
        (time_bucket, campaign, since_us, until_us),
    )
    return [NewCaller(*row) for row in rows]


async def take_late_callers(db: Database, after: int, up_to: int, until_us: int) -> list[NewCaller]:
    """Those of the calls after one and up to another that were before `until_us`, and the late ones' list.

    The list is emptied, as they are put into their sets now.
    """
    rows = await db.fetch_all(
        f"""SELECT DISTINCT campaign, {time_bucket_sql("called_at")}, caller FROM calls NOT INDEXED
            WHERE id > ? AND id <= ? AND called_at < ? AND {_IS_COUNTED}""",
        (after, up_to, until_us),
    )
    rows += await db.fetch_all("DELETE FROM late_callers RETURNING campaign, stretch, number")
    return [NewCaller(*row) for row in rows]


async def add_callers(db: Database, callers: Sequence[NewCaller], bucket_count: int, id_count: int) -> int:
    """Put callers into the sets of their stretches, and into longer ones made of the first `made` stretches.

    `known` is how many ids are given; returns how many are given now.
    """
    numbers = list(dict.fromkeys(each.number for each in callers))
    ids: dict[str, int] = dict(
        await db.fetch_all(
            "SELECT number, caller_id FROM callers WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers),),
        )
    )
    new = {number: id_count + i for i, number in enumerate((each for each in numbers if each not in ids), 1)}
    await db.executemany("INSERT INTO callers (number, caller_id) VALUES (?, ?)", list(new.items()))
    ids |= new
    added: defaultdict[tuple[str, int, int], list[int]] = defaultdict(list)
    for campaign, stretch, number in callers:
        for level, span in enumerate(time_buckets.SPANS):
            if level == 0 or (stretch // span + 1) * span <= bucket_count:
                added[campaign, level, stretch // span].append(ids[number])
    for (campaign, level, bucket), members in added.items():
        kept = await _load_sets(db, campaign, BucketRun(level, bucket, bucket + 1))
        await _save_set(db, campaign, level, bucket, _union(part for _, part in kept) | BitMap(members))
    return id_count + len(new)


async def merge_caller_sets(
    db: Database, campaigns: Iterable[str], old_bucket_count: int, bucket_count: int
) -> None:
    """Make the longer sets that are complete with `bucket_count` stretches and were not with `made`."""
    spans = time_buckets.SPANS
    for level in range(1, len(spans)):
        span, share = spans[level], spans[level] // spans[level - 1]
        below = BucketRun(level - 1, old_bucket_count // span * share, bucket_count // span * share)
        if below.first == below.last:
            continue
        for campaign in campaigns:
            parts = await _load_sets(db, campaign, below)
            for bucket, of_bucket in groupby(parts, lambda part: part[0] // share):  # noqa: B023 - used at once
                await _save_set(db, campaign, level, bucket, _union(part for _, part in of_bucket))


async def count_callers(
    db: ReadOnlyDatabase, campaigns: Iterable[str], parts: PeriodParts, bucket_count: int, last_call_id: int
) -> int:
    """How many numbers rang any of the campaigns in a period.

    Longer sets are made of the first `made` stretches; `after` is the last call that is in any set.
    """
    sets: list[bytes] = []
    others: dict[str, int | None] = {}
    for campaign in campaigns:
        for run in cover_with_buckets(parts.first, parts.last, bucket_count):
            sets += [part for _, part in await _load_sets(db, campaign, run)]
        others |= dict(await db.fetch_all(_LATE_CALLERS, (campaign, parts.first, parts.last)))
        others |= dict(
            await db.fetch_all(_NEW_CALLERS, (campaign, last_call_id, parts.since_us, parts.until_us))
        )
        for rest in parts.remainders:
            others |= dict(
                await db.fetch_all(_CALLERS_OF_REMAINDER, (campaign, rest.since_us, rest.until_us))
            )
    known = BitMap([caller_id for caller_id in others.values() if caller_id is not None])
    return len(_union(sets) | known) + sum(caller_id is None for caller_id in others.values())


_LATE_CALLERS: Final = """
SELECT late_callers.number, caller_id FROM late_callers LEFT JOIN callers USING (number)
WHERE campaign = ? AND stretch >= ? AND stretch < ?"""
_CALLERS_OF_REMAINDER: Final = f"""
SELECT DISTINCT caller, caller_id FROM calls LEFT JOIN callers ON number = caller
WHERE campaign = ? AND called_at >= ? AND called_at < ? AND {_IS_COUNTED}"""
# The new rows are the few: they are found by their ids, which `NOT INDEXED` still allows.
_NEW_CALLERS: Final = f"""
SELECT DISTINCT caller, caller_id FROM calls NOT INDEXED LEFT JOIN callers ON number = caller
WHERE campaign = ? AND id > ? AND called_at >= ? AND called_at < ? AND {_IS_COUNTED}"""


async def _load_sets(db: ReadOnlyDatabase, campaign: str, run: BucketRun) -> list[tuple[int, bytes]]:
    """(bucket, set) of a run, in order."""
    rows = await db.fetch_all(
        """SELECT bucket, callers FROM caller_sets
           WHERE campaign = ? AND level = ? AND bucket >= ? AND bucket < ? ORDER BY bucket""",
        (campaign, *run),
    )
    return [(bucket, part) for bucket, part in rows]


async def _save_set(db: Database, campaign: str, level: int, bucket: int, callers: BitMap) -> None:
    callers.run_optimize()
    await db.execute(
        """INSERT INTO caller_sets (campaign, level, bucket, callers) VALUES (?, ?, ?, ?)
           ON CONFLICT (campaign, level, bucket) DO UPDATE SET callers = excluded.callers""",
        (campaign, level, bucket, callers.serialize()),
    )


def _union(sets: Iterable[bytes]) -> BitMap:
    return BitMap.union(*map(BitMap.deserialize, sets), BitMap())
