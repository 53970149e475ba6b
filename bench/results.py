"""The figures that are kept: bench/results.json, each part with its date, and the picture made of them."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.picture import draw

RESULTS: Final = Path(__file__).with_name("results.json")
PICTURE: Final = Path(__file__).with_name("results.svg")


def keep(part: str, found: dict[str, Any], other_work: float) -> None:
    """Beside the other parts' latest figures, with when and where, and how busy the machine was before."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    kept["machine"] = _machine()
    today = datetime.now(UTC).date().isoformat()
    kept[part] = {"on": today, "other_work": round(other_work, 1), **found}
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    PICTURE.write_text(draw(kept), "utf-8")


def _machine() -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
