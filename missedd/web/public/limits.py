"""Limits of the public listener for one peer.

A webhook of Exotel has one or two kilobytes and arrives in one packet. Each limit allows about ten times as
much, and a single peer can never hold more than some tens of kilobytes of memory.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """Sizes in bytes, durations in seconds."""

    target_bytes: int = 8 * 1024
    """Path and query. A Passthru request carries its fields here, `Legs` included."""
    header_bytes: int = 16 * 1024
    """All names and values together, trailers included."""
    header_count: int = 64
    body_bytes: int = 64 * 1024
    receive_s: float = 10.0
    """From a request's first byte to its last, and from a new connection to its first byte."""
    idle_s: float = 150.0
    """Between two requests of one connection. Proxies keep idle connections for up to two minutes (Caddy two,
    nginx one). Our limit is longer, so a proxy never sends on a connection that we close just then."""
    write_s: float = 10.0
    """The time in which a peer must read a reply."""
    check_every_s: float = 0.25
    """How often time limits are checked; a limit may be exceeded by this much."""
    lingering_close_s: float = 1.0
    """How long we read the remaining bytes of a refused peer, so that it can read the error."""
    lingering_close_bytes: int = 1024 * 1024
    drain_s: float = 10.0
    """From the stop until requests in progress are cut off."""
    drain_first_byte_s: float = 1.0
    """During a drain: the time for a new or kept connection to send the first byte of a request."""
    min_idle_before_evict_s: float = 1.0
    """A connection that is silent for longer is closed if a new connection finds no room."""
    max_connections: int = 1000
    """Each one is a file descriptor; the daemon raises its limit of descriptors above this number."""
    max_rejections: int = 64
    """Connections above the limit that get a 503 at one time; further ones are closed without a reply."""

    @property
    def request_bytes(self) -> int:
        """All bytes of one request on the wire; chunked framing can be larger than the data."""
        return self.target_bytes + self.header_bytes + 8 * self.body_bytes
