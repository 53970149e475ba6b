"""What holds for every test."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgresql_server import postgresql_database, postgresql_server

__all__ = ["postgresql_database", "postgresql_server"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell: what the tests start would inherit that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes depends on what else the machine does: what is too slow, `make bench` says.
settings.register_profile("whatever the machine does", deadline=None)
settings.load_profile("whatever the machine does")

MARKER_BY_FOLDER = {
    "bench": "real",
    "browser": "browser",
    "clients": "real",
    "cluster": "cluster",
    "ops": "real",
    "real": "real",
    "simulation": "slow",
}
"""Every test of these folders has the marker; elsewhere a test or its module says it itself."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        marker = MARKER_BY_FOLDER.get(item.path.relative_to(here).parts[0])
        if marker is not None:
            item.add_marker(marker)
        if "postgresql_server" in getattr(item, "fixturenames", ()):
            item.add_marker("postgresql")
