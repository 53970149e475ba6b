"""How often a password may be tried: a few wrong attempts are free, then each one more has to wait longer.

Attempts are counted for each peer, and for all peers together, so that many peers gain little. An attempt
counts as wrong from its start, so that a hundred attempts at once are not a hundred free ones.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

WINDOW_S: Final = 15 * 60.0
"""Seconds for which wrong attempts are remembered."""
FREE_ATTEMPTS_PER_PEER: Final = 5
FREE_ATTEMPTS_IN_ALL: Final = 20
FIRST_DELAY_S: Final = 5.0
MAX_DELAY_PER_PEER_S: Final = 5 * 60.0
MAX_DELAY_IN_ALL_S: Final = 30.0
"""This limit (seconds) is short: attempts from everywhere must not lock out the person who knows the
password."""
MAX_PEERS: Final = 1_000
"""Peers that are remembered; beyond that the peer without an attempt for the longest time is forgotten."""


@dataclass(slots=True)
class LoginThrottle:
    """Counts login attempts. Times are seconds of a monotonic clock."""

    _attempts_by_peer: dict[str, deque[float]] = field(default_factory=dict)
    _all_attempts: deque[float] = field(default_factory=deque)

    def retry_after_s(self, peer: str, now_s: float) -> float:
        """Seconds that this peer has to wait before it may try again; 0 if it may try now."""
        of_peer = self._attempts_by_peer.get(peer, deque())
        return max(
            _delay_s(of_peer, FREE_ATTEMPTS_PER_PEER, MAX_DELAY_PER_PEER_S, now_s),
            _delay_s(self._all_attempts, FREE_ATTEMPTS_IN_ALL, MAX_DELAY_IN_ALL_S, now_s),
        )

    def record_attempt(self, peer: str, now_s: float) -> None:
        """Count a login attempt as failed until `record_success` is called."""
        of_peer = self._attempts_by_peer.pop(peer, deque())
        self._attempts_by_peer[peer] = of_peer
        for attempts in (of_peer, self._all_attempts):
            _drop_old(attempts, now_s)
            attempts.append(now_s)
        if len(self._attempts_by_peer) > MAX_PEERS:
            del self._attempts_by_peer[next(iter(self._attempts_by_peer))]

    def record_success(self, peer: str) -> None:
        """The peer's last attempt was right: its count starts again."""
        self._attempts_by_peer.pop(peer, None)
        if self._all_attempts:
            self._all_attempts.pop()


def _drop_old(attempts: deque[float], now_s: float) -> None:
    while attempts and attempts[0] <= now_s - WINDOW_S:
        attempts.popleft()


def _delay_s(attempts: deque[float], free: int, longest_s: float, now_s: float) -> float:
    _drop_old(attempts, now_s)
    over = len(attempts) - free
    if over < 0:
        return 0.0
    # The exponent is limited first, so that the power cannot overflow.
    wait_s = min(longest_s, FIRST_DELAY_S * 2.0 ** min(over, 16))
    return max(0.0, attempts[-1] + wait_s - now_s)
