"""The actor of a request, for the audit record."""

from __future__ import annotations

from quart import g, request

from missedd.core.audit import Actor, Source


def current_actor() -> Actor:
    """The actor of the current request. With a session the source is `console`. Our own commands name
    themselves in a header (`cli`); every other client is `api`.
    """
    source = Source.CLI if request.headers.get("Missedd-By") == Source.CLI else Source.API
    return Actor(Source.CONSOLE if g.get("session") else source, request.remote_addr)
