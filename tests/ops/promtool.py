"""Prometheus' own tool for rules and expositions."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

import pytest

PROMTOOL: Final = shutil.which("promtool")

# Where it is expected, its absence is a failure of the test that runs it.
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None and os.environ.get("MISSEDD_PROMTOOL") != "required",
    reason="no promtool on this machine: apt-get install prometheus",
)


def promtool(*arguments: str, text: str | None = None) -> None:
    """Run it; fails with what it says if it finds a mistake."""
    assert PROMTOOL is not None, "no promtool, and MISSEDD_PROMTOOL says that these tests must run"
    ran = subprocess.run([PROMTOOL, *arguments], input=text, text=True, capture_output=True, check=False)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
