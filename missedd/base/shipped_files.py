"""The files shipped with the program for its operator: example configuration, units, alerts, dashboard.

A checkout has them at its top, where people look for them. A wheel has the same files inside the package
(`force-include` in pyproject.toml).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EXAMPLE: Final = "missedd.example.toml"
SERVICE: Final = "missedd.service"


@dataclass(frozen=True, slots=True)
class ShippedFile:
    path: str
    """Its path in a checkout."""
    description: str
    """What it is, and where it belongs."""


SHIPPED_FILES: Final[Mapping[str, ShippedFile]] = {
    EXAMPLE: ShippedFile(EXAMPLE, "the configuration with every key; /etc/missedd/missedd.toml"),
    SERVICE: ShippedFile(SERVICE, "systemd runs the daemon; /etc/systemd/system/"),
    "missedd.socket": ShippedFile("missedd.socket", "systemd holds the public port; /etc/systemd/system/"),
    "missedd-private.socket": ShippedFile(
        "missedd-private.socket", "systemd holds the private port; /etc/systemd/system/"
    ),
    "missedd.rules.yml": ShippedFile(
        "ops/prometheus/missedd.rules.yml", "alerts; add it to `rule_files` of Prometheus"
    ),
    "runbook.md": ShippedFile("docs/runbook.md", "what to do about each alert; for the person on call"),
    "patroni.yml": ShippedFile(
        "ops/patroni/patroni.yml", "one of three database machines; /etc/patroni/, see docs/cluster.md"
    ),
    "missedd.json": ShippedFile("ops/grafana/missedd.json", "a dashboard; Grafana imports it"),
}

_PACKAGE: Final = Path(__file__).parents[1]


def read_shipped_file(name: str) -> str:
    """The text of a file in `SHIPPED_FILES`, by its name. Raises KeyError for another name."""
    installed = _PACKAGE / "files" / name
    return (installed if installed.exists() else _PACKAGE.parent / SHIPPED_FILES[name].path).read_text(
        "utf-8"
    )
