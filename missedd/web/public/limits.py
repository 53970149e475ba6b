"""How much of anything one peer may ask of the public listener.

A webhook of Exotel is one or two kilobytes and arrives in one packet; each bound leaves it an
order of magnitude, and none lets a single peer hold more than a few tens of kilobytes here.
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
    """From a request's first byte to its last. A new connection's first request has as long."""
    idle_s: float = 150.0
    """Between two requests of one connection. Proxies keep theirs for up to two minutes (Caddy; nginx one):
    who keeps it for longer can never send on a connection that the other side ends just then."""
    write_s: float = 10.0
    """For a peer to take a reply."""
    check_every_s: float = 0.25
    """How often the limits of time are looked after, and so how much longer each may last."""
    lingering_close_s: float = 1.0
    """How long a refused peer's remaining bytes are read, so that it can read why it was refused."""
    lingering_close_bytes: int = 1024 * 1024
    drain_s: float = 10.0
    """From the word to stop until requests in flight are given up."""
    drain_first_byte_s: float = 1.0
    """While draining, for the first byte of a request on a connection that is silent, new or kept."""
    min_idle_before_evict_s: float = 1.0
    """A connection silent for longer than this makes room when a new one finds none."""
    max_connections: int = 1000
    """Each is a file descriptor: the daemon raises its own limit of those above this."""
    max_rejections: int = 64
    """Connections over the bound that are told so at one time; those above are closed unheard."""

    @property
    def request_bytes(self) -> int:
        """What one request may take on the wire in all: chunked framing can outweigh the data."""
        return self.target_bytes + self.header_bytes + 8 * self.body_bytes
