"""Callers as sets of small ids by campaign and bucket, so that distinct callers are counted by union.

A caller gets an id once, in the order of appearance, which keeps the sets dense and small. A set on a higher
level is the union of the sets below it. It is built when the last of them exists, and a caller who is
reported later is added to it too.
"""

# ruff: noqa: S608 - only constants of this module are put into these statements, never input

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

_IS_COUNTED: Final = f"+campaign IS NOT NULL AND +caller IS NOT NULL AND verdict IN ({COUNTED_VERDICTS_SQL})"


class NewCaller(NamedTuple):
    """A number that called a campaign in a bucket of the lowest level."""

    campaign: str
    time_bucket: int
    number: str


async def callers_in_bucket(
    db: Database, campaign: str, since_us: int, until_us: int, time_bucket: int
) -> list[NewCaller]:
    """Who called a campaign at or after `since_us` and before `until_us`, the bounds of `time_bucket`."""
    rows = await db.fetch_all(
        f"""SELECT DISTINCT campaign, ?, caller FROM calls
            WHERE campaign = ? AND called_at >= ? AND called_at < ? AND {_IS_COUNTED}""",
        (time_bucket, campaign, since_us, until_us),
    )
    return [NewCaller(*row) for row in rows]


async def take_late_callers(db: Database, after: int, up_to: int, until_us: int) -> list[NewCaller]:
    """Callers to be added to existing sets: of new rows before `until_us`, and of the table `late_callers`.

    New rows are those with `after < id <= up_to`. The table is emptied.
    """
    rows = await db.fetch_all(
        f"""SELECT campaign, {time_bucket_sql("called_at")}, caller FROM calls
            WHERE id > ? AND id <= ? AND +called_at < ? AND {_IS_COUNTED}""",
        (after, up_to, until_us),
    )
    rows += await db.fetch_all("DELETE FROM late_callers RETURNING campaign, stretch, number")
    return [NewCaller(*row) for row in rows]


async def add_callers(db: Database, callers: Sequence[NewCaller], bucket_count: int, id_count: int) -> int:
    """Add callers to the sets of their buckets, and to the higher sets of the first `bucket_count` buckets.

    `id_count` is the number of ids that are given out; returns the number afterwards.
    """
    numbers = list(dict.fromkeys(caller.number for caller in callers))
    ids: dict[str, int] = dict(
        await db.fetch_all(
            "SELECT number, caller_id FROM callers WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers),),
        )
    )
    unknown = (number for number in numbers if number not in ids)
    new = {number: caller_id for caller_id, number in enumerate(unknown, id_count + 1)}
    await db.executemany("INSERT INTO callers (number, caller_id) VALUES (?, ?)", list(new.items()))
    ids |= new
    added: defaultdict[tuple[str, int, int], list[int]] = defaultdict(list)
    for campaign, time_bucket, number in callers:
        for level, span in enumerate(time_buckets.SPANS):
            if level == 0 or (time_bucket // span + 1) * span <= bucket_count:
                added[campaign, level, time_bucket // span].append(ids[number])
    for (campaign, level, bucket), members in added.items():
        stored = await _load_sets(db, campaign, BucketRun(level, bucket, bucket + 1))
        await _save_set(db, campaign, level, bucket, _union(part for _, part in stored) | BitMap(members))
    return id_count + len(new)


async def merge_caller_sets(
    db: Database, campaigns: Iterable[str], old_bucket_count: int, bucket_count: int
) -> None:
    """Build the higher sets that are complete with `bucket_count` buckets but were not with the old count."""
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
    """The number of distinct callers of these campaigns in a period.

    There are higher sets for the first `bucket_count` buckets; calls after `last_call_id` are in no set yet.
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
        for remainder in parts.remainders:
            others |= dict(
                await db.fetch_all(_CALLERS_OF_REMAINDER, (campaign, remainder.since_us, remainder.until_us))
            )
    known = BitMap([caller_id for caller_id in others.values() if caller_id is not None])
    return len(_union(sets) | known) + sum(caller_id is None for caller_id in others.values())


_LATE_CALLERS: Final = """
SELECT late_callers.number, caller_id FROM late_callers LEFT JOIN callers USING (number)
WHERE campaign = ? AND stretch >= ? AND stretch < ?"""
_CALLERS_OF_REMAINDER: Final = f"""
SELECT DISTINCT caller, caller_id FROM calls LEFT JOIN callers ON number = caller
WHERE campaign = ? AND called_at >= ? AND called_at < ? AND {_IS_COUNTED}"""
# There are few new rows, so they are found by their ids: a plus keeps an index out of SQLite's plan.
_NEW_CALLERS: Final = f"""
SELECT caller, caller_id FROM calls LEFT JOIN callers ON number = caller
WHERE +campaign = ? AND id > ? AND +called_at >= ? AND +called_at < ? AND {_IS_COUNTED}"""


async def _load_sets(db: ReadOnlyDatabase, campaign: str, run: BucketRun) -> list[tuple[int, bytes]]:
    """(bucket, serialized set) of a run of buckets, in order."""
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
