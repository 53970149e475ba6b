"""The kept figures as one SVG: how many calls a second, how late, and the rest in words.

It brings its own ground, light or dark as the reader's system is, so that it can be read on any page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any, Final

WIDTH: Final = 800
LEFT: Final = 330
"""Where bars and scales begin; to the left of it stand their names."""

RIGHT: Final = 720
"""Where the longest bar and the scale end; a figure has room behind it."""

ROW: Final = 28
BUSY: Final = 0.5
"""Load a core, from which on a reader should know of it."""

SCALE_MS: Final = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

STYLE: Final = """
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.ground { fill: #ffffff } text.faint { fill: #59636e } .rule { stroke: #d1d9e0 }
text.title { font-weight: 600; font-size: 15px } .end { text-anchor: end } .middle { text-anchor: middle }
.mine { fill: #0969da } .other { fill: #afb8c1 } .line { stroke: #0969da; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .ground { fill: #0d1117 } text.faint { fill: #9198a1 } .rule { stroke: #3d444d }
  .mine { fill: #4493f8 } .other { fill: #656c76 } .line { stroke: #4493f8 }
}
"""


def draw(kept: Mapping[str, Any]) -> str:
    """All of the parts that have figures."""
    sheet = _Sheet()
    if "ingest" in kept:
        _ingest(sheet, kept["ingest"])
    late = _late(kept)
    if late:
        _latencies(sheet, late)
    for name, figures in _words(kept):
        sheet.text(24, name)
        sheet.text(LEFT, figures)
        sheet.down(ROW - 4)
    _where(sheet, kept)
    return sheet.svg()


class _Sheet:
    """A page that is filled from the top."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._y = 34.0

    def down(self, by: float) -> None:
        self._y += by

    def title(self, words: str, remark: str) -> None:
        self.text(24, words, "title")
        self.text(WIDTH - 24, remark, "faint end")
        self.down(ROW)

    def text(self, x: float, words: str, style: str = "", dy: float = 0.0) -> None:
        attribute = f' class="{style}"' if style else ""
        self._parts.append(f'<text x="{x:.1f}" y="{self._y + dy:.1f}"{attribute}>{escape(words)}</text>')

    def bar(self, x: float, width: float, style: str) -> None:
        where = f'x="{x:.1f}" y="{self._y - 13:.1f}" width="{max(width, 1):.1f}" height="17" rx="2"'
        self._parts.append(f'<rect class="{style}" {where}/>')

    def dot(self, x: float) -> None:
        self._parts.append(f'<circle class="mine" cx="{x:.1f}" cy="{self._y - 4:.1f}" r="4"/>')

    def line(self, x1: float, x2: float, style: str) -> None:
        self._stroke(x1, self._y - 4, x2, self._y - 4, style)

    def rule(self, x: float, height: float) -> None:
        self._stroke(x, self._y - 16, x, self._y - 16 + height, "rule")

    def _stroke(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        where = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self._parts.append(f'<line class="{style}" {where}/>')

    def svg(self) -> str:
        height = round(self._y)
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-label="How fast missedd is">\n<style>{STYLE}</style>\n'
            f'<rect class="ground" width="{WIDTH}" height="{height}" rx="8"/>\n{body}\n</svg>\n'
        )


def _ingest(sheet: _Sheet, found: Mapping[str, Any]) -> None:
    sheet.title("Missed calls acknowledged a second", f"median of {found['rounds']} rounds in turn")
    longest = max(each["rate"] for each in found["contenders"].values())
    for name, each in found["contenders"].items():
        width = each["rate"] / longest * (RIGHT - LEFT)
        is_mine = name == "missedd"
        sheet.text(24, f"{name}: {each['about']}" if is_mine else each["about"], "" if is_mine else "faint")
        sheet.bar(LEFT, width, "mine" if is_mine else "other")
        sheet.text(LEFT + width + 8, f"{each['rate']:,.0f}")
        sheet.down(ROW)
    sheet.down(14)


def _late(kept: Mapping[str, Any]) -> list[tuple[str, Mapping[str, float]]]:
    """What is measured in milliseconds, by name."""
    rows = []
    if "ack" in kept:
        loads = kept["ack"]["loads"].values()
        rows += [(f"acknowledged, {each['about']}{_dropped(each)}", each["latency_ms"]) for each in loads]
    if "timers" in kept:
        for name in ("quiet", "busy"):
            each = kept["timers"][name]
            rows.append((f"callback leaves, {each['about']}", each["late_ms"]))
    return rows


def _dropped(load: Mapping[str, Any]) -> str:
    return f", {load['dropped']:,} dropped" if load["dropped"] else ""


def _latencies(sheet: _Sheet, rows: list[tuple[str, Mapping[str, float]]]) -> None:
    sheet.title("Milliseconds late: median and 99 of 100", "from the planned instant; logarithmic")
    for at_ms in SCALE_MS:
        sheet.text(_x(at_ms), f"{at_ms:g}", "faint middle")
    sheet.down(ROW - 8)
    for at_ms in SCALE_MS:
        sheet.rule(_x(at_ms), len(rows) * ROW)
    for name, values in rows:
        sheet.text(24, name)
        sheet.line(_x(values["p50"]), _x(values["p99"]), "line")
        sheet.dot(_x(values["p50"]))
        sheet.dot(_x(values["p99"]))
        sheet.text(_x(values["p99"]) + 10, f"{values['p99']:,.1f}")
        sheet.down(ROW)
    sheet.down(14)


def _x(at_ms: float) -> float:
    """Where a time stands on the scale; what lies outside of it stands at its ends."""
    first, last = math.log(SCALE_MS[0]), math.log(SCALE_MS[-1])
    share = (math.log(max(at_ms, 1e-6)) - first) / (last - first)
    return LEFT + min(1.0, max(0.0, share)) * (RIGHT - LEFT)


def _words(kept: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if found := kept.get("restart"):
        ready = f"ready after {found['ready_s']:.1f} s, {found['bytes_a_timer']} bytes a timer"
        rows.append((f"Start with {found['timers']:,} callbacks pending", ready))
    if found := kept.get("day"):
        took = f"{found['took_s']:,.0f} s in virtual time, {found['times_real']:,} times as fast"
        rows.append((f"A day of {found['calls']:,} calls", took))
    if found := kept.get("growth"):
        sizes = [f"{each['rate']:,.0f}/s over {int(size):,}" for size, each in found["sizes"].items()]
        rows.append(("Taking in, by calls in the store", "; ".join(sizes)))
        rows.append(("A million calls with their callbacks", f"{found['mb_a_million_calls']:,} MB"))
    if found := kept.get("figures"):
        slowest = max(each["median_ms"] for each in found["ranges"].values())
        rows.append(("A figure over " + found["about"].partition(" in ")[0], f"{slowest:,.0f} ms at most"))
    return rows


def _where(sheet: _Sheet, kept: Mapping[str, Any]) -> None:
    machine = kept["machine"]
    parts = [part for name, part in kept.items() if name != "machine"]
    days = sorted(part["on"] for part in parts)
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    sheet.down(6)
    busiest = max(part["other_work"] for part in parts)
    if busiest > BUSY * machine["cores"]:
        sheet.text(
            24, f"Other work ran on the machine meanwhile: its load was {busiest:.1f} before.", "faint"
        )
        sheet.down(20)
    sheet.text(
        24,
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}; server and load on the same machine; {when}",
        "faint",
    )
    sheet.down(18)
