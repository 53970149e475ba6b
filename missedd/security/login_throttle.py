"""How often a password may be tried: a few wrong ones are forgiven, then each one more has to wait longer.

Counted for each peer, and for all of them together, so that many peers gain little. An attempt
counts as wrong from its beginning, so that a hundred at once are not a hundred free ones.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

WINDOW_S: Final = 15 * 60.0
"""Wrong attempts are remembered for so long."""
FREE: Final = 5
FREE_OF_ALL: Final = 20
FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 5 * 60.0
LONGEST_WAIT_OF_ALL_S: Final = 30.0
"""Whoever tries from everywhere must not lock out the one who knows the password."""
PEERS: Final = 1_000
"""Peers that are remembered; beyond, the one that has been silent longest is forgotten."""


@dataclass(slots=True)
class Attempts:
    """Times are seconds of a clock that never steps."""

    _of_peers: dict[str, deque[float]] = field(default_factory=dict)
    _of_all: deque[float] = field(default_factory=deque)

    def wait_s(self, peer: str, now_s: float) -> float:
        """How long this peer has to wait before it may try again; 0 if it may now."""
        of_peer = self._of_peers.get(peer, deque())
        return max(
            _wait_s(of_peer, FREE, LONGEST_WAIT_S, now_s),
            _wait_s(self._of_all, FREE_OF_ALL, LONGEST_WAIT_OF_ALL_S, now_s),
        )

    def begin(self, peer: str, now_s: float) -> None:
        """An attempt is made; it is wrong until `succeed`."""
        of_peer = self._of_peers.pop(peer, deque())
        self._of_peers[peer] = of_peer
        for each in (of_peer, self._of_all):
            _forget(each, now_s)
            each.append(now_s)
        if len(self._of_peers) > PEERS:
            del self._of_peers[next(iter(self._of_peers))]

    def succeed(self, peer: str) -> None:
        """The peer's last attempt was right: it starts anew."""
        self._of_peers.pop(peer, None)
        if self._of_all:
            self._of_all.pop()


def _forget(attempts: deque[float], now_s: float) -> None:
    while attempts and attempts[0] <= now_s - WINDOW_S:
        attempts.popleft()


def _wait_s(attempts: deque[float], free: int, longest_s: float, now_s: float) -> float:
    _forget(attempts, now_s)
    over = len(attempts) - free
    if over < 0:
        return 0.0
    # The exponent is bounded before the power is taken.
    wait_s = min(longest_s, FIRST_WAIT_S * 2.0 ** min(over, 16))
    return max(0.0, attempts[-1] + wait_s - now_s)
