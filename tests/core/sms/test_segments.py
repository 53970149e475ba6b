"""Segments are counted as operators bill them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.sms.segments import Segments, dearest, is_plain, segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("plain", 0, 0)),
        ("a" * 160, Segments("plain", 1, 160)),
        ("a" * 161, Segments("plain", 2, 161)),
        ("a" * 306, Segments("plain", 2, 306)),
        ("a" * 307, Segments("plain", 3, 307)),
        ("€" * 80, Segments("plain", 1, 160)),
        ("€" * 81, Segments("plain", 2, 162)),
        # 76 of them fill 152 of a part's 153 septets: an escape is not cut in two.
        ("€" * 153, Segments("plain", 3, 306)),
        ("{}[]|\\~^", Segments("plain", 1, 16)),
        ("@£$¥èéùìòÇ\nØø\rÅå", Segments("plain", 1, 16)),
        ("न" * 70, Segments("unicode", 1, 70)),
        ("न" * 71, Segments("unicode", 2, 71)),
        ("न" * 134, Segments("unicode", 2, 134)),
        ("न" * 135, Segments("unicode", 3, 135)),
        ("😀" * 35, Segments("unicode", 1, 70)),
        ("😀" * 36, Segments("unicode", 2, 72)),
        ("plain but for one curly quote ’", Segments("unicode", 1, 31)),
        ("`", Segments("unicode", 1, 1)),
    ],
)
def test_segments(text: str, expected: Segments) -> None:
    assert segments(text) == expected


@given(st.text(max_size=400))
def test_units_hold_the_text(text: str) -> None:
    found = segments(text)
    single, joined = (160, 153) if found.encoding == "plain" else (70, 67)
    assert found.length >= len(text)
    assert (found.units <= 1) == (found.length <= single)
    # At most one unit of a part is lost to a character that would not fit into its end.
    if found.units > 1:
        assert (found.units - 1) * (joined - 1) < found.length <= found.units * joined


@given(st.text(min_size=1, max_size=40))
def test_the_dearest_character_repeated_costs_at_least_as_much(text: str) -> None:
    worst = segments(dearest(text) * len(text))
    assert is_plain(text) == (worst.encoding == "plain") == (segments(text).encoding == "plain")
    assert worst.length >= segments(text).length
    assert worst.units >= segments(text).units
