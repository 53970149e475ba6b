"""Segments are counted as operators bill them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.sms.segments import SegmentCount, costliest_character, count_segments, is_gsm_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SegmentCount("plain", 0, 0)),
        ("a" * 160, SegmentCount("plain", 1, 160)),
        ("a" * 161, SegmentCount("plain", 2, 161)),
        ("a" * 306, SegmentCount("plain", 2, 306)),
        ("a" * 307, SegmentCount("plain", 3, 307)),
        ("€" * 80, SegmentCount("plain", 1, 160)),
        ("€" * 81, SegmentCount("plain", 2, 162)),
        # 76 of them fill 152 of the 153 septets of a part: an escape sequence is not split.
        ("€" * 153, SegmentCount("plain", 3, 306)),
        ("{}[]|\\~^", SegmentCount("plain", 1, 16)),
        ("@£$¥èéùìòÇ\nØø\rÅå", SegmentCount("plain", 1, 16)),
        ("न" * 70, SegmentCount("unicode", 1, 70)),
        ("न" * 71, SegmentCount("unicode", 2, 71)),
        ("न" * 134, SegmentCount("unicode", 2, 134)),
        ("न" * 135, SegmentCount("unicode", 3, 135)),
        ("😀" * 35, SegmentCount("unicode", 1, 70)),
        ("😀" * 36, SegmentCount("unicode", 2, 72)),
        ("plain but for one curly quote ’", SegmentCount("unicode", 1, 31)),
        ("`", SegmentCount("unicode", 1, 1)),
    ],
)
def test_segments(text: str, expected: SegmentCount) -> None:
    assert count_segments(text) == expected


@given(st.text(max_size=400))
def test_units_hold_the_text(text: str) -> None:
    found = count_segments(text)
    single, joined = (160, 153) if found.encoding == "plain" else (70, 67)
    assert found.length >= len(text)
    assert (found.units <= 1) == (found.length <= single)
    # A part loses at most one unit, if the next character does not fit.
    if found.units > 1:
        assert (found.units - 1) * (joined - 1) < found.length <= found.units * joined


@given(st.text(min_size=1, max_size=40))
def test_the_dearest_character_repeated_costs_at_least_as_much(text: str) -> None:
    worst = count_segments(costliest_character(text) * len(text))
    assert is_gsm_text(text) == (worst.encoding == "plain") == (count_segments(text).encoding == "plain")
    assert worst.length >= count_segments(text).length
    assert worst.units >= count_segments(text).units
