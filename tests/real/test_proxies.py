"""A restart behind each real proxy, in CI; ten under 500 calls/s by `python -m tests.real.proxies`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.real.proxies import PROXIES, is_installed, run

ASKED = os.environ.get("MISSEDD_PROXIES")
"""`installed` tries those that there are, `required` all of them. It takes some seconds for each."""


@pytest.mark.skipif(
    ASKED is None, reason="real proxies are tried where MISSEDD_PROXIES=installed asks for it"
)
@pytest.mark.parametrize("name", PROXIES)
def test_a_restart_is_not_heard_behind_a_proxy(tmp_path: Path, name: str) -> None:
    if not is_installed(name) and ASKED != "required":
        pytest.skip(f"no {name} on this machine: apt-get install {name}")
    heard = run(tmp_path, PROXIES[name], restarts=1, rate=50)
    assert heard.passed, heard
