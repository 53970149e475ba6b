"""Who acts: what the audit record keeps of the request that changes something."""

from __future__ import annotations

from quart import g, request

from missedd.core.audit import Actor, Source


def current_actor() -> Actor:
    """The one behind the request at hand: who is logged in acts by the console. Our own commands say who
    they are; anybody else is the API's.
    """
    source = Source.CLI if request.headers.get("Missedd-By") == Source.CLI else Source.API
    return Actor(Source.CONSOLE if g.get("session") else source, request.remote_addr)
