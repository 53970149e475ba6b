"""The files that come with the program for its operator: the example configuration, units, alerts, dashboard.

In a checkout they lie where people look for them, at the top; a wheel carries the same files in the
package (`force-include` in pyproject.toml).
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
    """Where it lies in a checkout."""
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
        "ops/prometheus/missedd.rules.yml", "alerts; `rule_files` of Prometheus' configuration"
    ),
    "runbook.md": ShippedFile("docs/runbook.md", "what to do about each alert; for whoever is called"),
    "missedd.json": ShippedFile("ops/grafana/missedd.json", "a dashboard; Grafana imports it"),
}

_PACKAGE: Final = Path(__file__).parents[1]


def read_shipped_file(name: str) -> str:
    """The text of a file by its name in `SHIPPED_FILES`. Raises KeyError for another name."""
    installed = _PACKAGE / "files" / name
    return (installed if installed.exists() else _PACKAGE.parent / SHIPPED_FILES[name].path).read_text(
        "utf-8"
    )
