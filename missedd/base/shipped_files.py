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
class Shipped:
    path: str
    """Where it lies in a checkout."""
    about: str
    """What it is, and where it belongs."""


SHIPPED: Final[Mapping[str, Shipped]] = {
    EXAMPLE: Shipped(EXAMPLE, "the configuration with every key; /etc/missedd/missedd.toml"),
    SERVICE: Shipped(SERVICE, "systemd runs the daemon; /etc/systemd/system/"),
    "missedd.socket": Shipped("missedd.socket", "systemd holds the public port; /etc/systemd/system/"),
    "missedd-private.socket": Shipped(
        "missedd-private.socket", "systemd holds the private port; /etc/systemd/system/"
    ),
    "missedd.rules.yml": Shipped(
        "ops/prometheus/missedd.rules.yml", "alerts; `rule_files` of Prometheus' configuration"
    ),
    "runbook.md": Shipped("docs/runbook.md", "what to do about each alert; for whoever is called"),
    "missedd.json": Shipped("ops/grafana/missedd.json", "a dashboard; Grafana imports it"),
}

_PACKAGE: Final = Path(__file__).parents[1]


def text_of(name: str) -> str:
    """The text of a file by its name in `SHIPPED`. Raises KeyError for another name."""
    installed = _PACKAGE / "files" / name
    return (installed if installed.exists() else _PACKAGE.parent / SHIPPED[name].path).read_text("utf-8")
