"""The sliding cap: at most so many callbacks to one number in any hour.

A calendar hour would let two batches meet at its edge, so every window of an hour that contains
the new instant is looked at. Instants ahead of it count as well: another callback may be planned
for later, and after a clock step one that was made may seem to lie ahead.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

CAP_WINDOW = timedelta(hours=1)


def is_under_cap(other_times: Iterable[datetime], at: datetime, limit: int) -> bool:
    """Whether one more callback at `at` leaves every sliding hour with at most `limit` of them.

    `other_times` are the instants of callbacks that were placed or are planned. A window includes its
    start and excludes its end: a callback of exactly an hour ago does not count.
    """
    near = sorted([each for each in other_times if at - CAP_WINDOW < each < at + CAP_WINDOW])
    if len(near) < limit:
        return True  # no window can have more than all of them
    starts = [each for each in near if each <= at] + [at]
    return all(sum(start <= each < start + CAP_WINDOW for each in near) < limit for start in starts)
