"""Reads `[node]`, and tells whether two nodes have the same configuration.

Nodes that share one PostgreSQL should do the same things, whichever of them leads. So each node writes a
fingerprint of its configuration into the database, and a node whose fingerprint differs is reported.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Final

from missedd.config.key_locations import MAX_NAME_LENGTH
from missedd.config.table import ConfigTable

FINGERPRINT_LENGTH: Final = 12
"""Hexadecimal digits. They tell configurations apart, and are short enough to compare by eye."""


def read_node_name(table: ConfigTable) -> str:
    """The name in `[node]`; by default the name of the machine."""
    name = table.text("name", max_length=MAX_NAME_LENGTH)
    return name or socket.gethostname() or "localhost"


def config_fingerprint(*settings: object) -> str:
    """The same text on every node for the same settings, spelled out or by default.

    Two releases may give two texts: a release knows settings that an older one does not.
    """
    text = json.dumps(settings, sort_keys=True, default=_plain)
    return sha256(text.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def _plain(value: object) -> object:
    """What JSON can write; a set in an order that is the same in every process."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): inner for key, inner in value.items()}
    return sorted(map(str, value)) if isinstance(value, Set) else str(value)
