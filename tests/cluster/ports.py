"""Ports for servers that die and come back."""

from __future__ import annotations

import socket
from contextlib import suppress
from random import SystemRandom

BELOW_THE_KERNELS = range(20_000, 32_768)
"""Outgoing connections get ports from 32768 on, which would be taken while a server is down."""


def free_ports(count: int) -> list[int]:
    """So many different ports of the loopback address, free at this moment."""
    found: list[int] = []
    for port in SystemRandom().sample(BELOW_THE_KERNELS, len(BELOW_THE_KERNELS)):
        if len(found) == count:
            break
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    assert len(found) == count, "this machine has no free ports"
    return found
