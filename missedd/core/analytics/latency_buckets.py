"""Latencies, counted in buckets that are at most one thirty-second of their own value wide.

So the median or a percentile of any period is a sum of counts, with an error below two percent. The view
`facts` uses the same buckets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_TENTHS_PER_SECOND = 10
_LINEAR_TENTHS = 64
"""Each tenth of a second below this has its own bucket; from there on the width doubles with the value."""

LAST_BUCKET: Final = _LINEAR_TENTHS << 17
"""Tenths of a second, nearly ten days: every longer latency is in the last bucket."""


def bucket_of(seconds: float) -> int:
    """The bucket of a latency (seconds), named by its lower bound in tenths of a second."""
    tenths = max(0, int(seconds * _TENTHS_PER_SECOND))
    return LAST_BUCKET if tenths >= LAST_BUCKET else tenths - tenths % _width(tenths)


def percentile(counts: Mapping[int, int], percent: int) -> float | None:
    """The latency in seconds that `percent` of the values do not exceed: the middle of its bucket.

    `counts` has the number of values in each bucket; None if there are no values.
    """
    left = -(-sum(counts.values()) * percent // 100)
    if left <= 0:
        return None
    for bucket in sorted(counts):
        left -= counts[bucket]
        if left <= 0:
            break
    return (bucket + _width(bucket) / 2) / _TENTHS_PER_SECOND


def _width(tenths: int) -> int:
    return 1 << max(0, tenths.bit_length() - _LINEAR_TENTHS.bit_length() + 1)
