"""The sliding cap: at most `limit` callbacks to one number in any hour.

Example with a limit of 2: callbacks at 11:50 and 11:55 leave no room at 12:10. A calendar hour would allow
it.

So every window of one hour that contains the new time is checked. Later times count as well: another callback
may be planned for later, and after a change of the clock a past callback may seem to be in the future.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

CAP_WINDOW = timedelta(hours=1)


def is_under_cap(other_times: Iterable[datetime], at: datetime, limit: int) -> bool:
    """Whether one more callback at `at` leaves every sliding hour with at most `limit` callbacks.

    `other_times` are the times of callbacks that were placed or are planned. A window includes its start and
    excludes its end, so a callback exactly one hour ago does not count.
    """
    near = sorted([each for each in other_times if at - CAP_WINDOW < each < at + CAP_WINDOW])
    if len(near) < limit:
        return True  # no window can hold more than all of them together
    starts = [each for each in near if each <= at] + [at]
    return all(sum(start <= each < start + CAP_WINDOW for each in near) < limit for start in starts)
