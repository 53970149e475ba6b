"""The console's colours can be read: every text on every ground, by day and by night (WCAG AA)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = files("missedd.web").joinpath("static", "console.css").read_text("utf-8")
ROOTS = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
DAY, NIGHT = (dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", each)) for each in ROOTS)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [DAY, NIGHT], ids=["day", "night"])
def test_every_text_can_be_read(theme: dict[str, str]) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for text in ("ink", "quiet", "accent", "good", "bad", "wait"):
        for ground in ("paper", "card", "banner", "hover"):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    assert contrast(theme["focus"], theme["paper"]) >= 3
    assert contrast(theme["paper"], theme["accent"]) >= 4.5
