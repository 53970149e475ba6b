"""The same Intake behind Hypercorn and Quart-Trio: what the frameworks alone would make of it.

    python -m bench.hypercorn_intake CONFIG

Everything from the request's fields on is the daemon's own, the durable store included; only the
listener is another. It is what missedd would be, had the public listener not been written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import SystemRandom

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import Response, request
from quart_trio import QuartTrio

from missedd.base.clock import SystemClock
from missedd.commands.shared.options import run_with_config
from missedd.config.loader import LoadedConfig
from missedd.daemon.apps import TimedPublicSite, build_public_site
from missedd.engine.engine import running_engine
from missedd.engine.environment import Environment
from missedd.exotel.webhook_request import WebhookRequest
from missedd.log.logger import create_logger
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.web.private.app import DisconnectTolerantConnection
from missedd.web.private.metrics import Metrics


class _Site(QuartTrio):
    asgi_http_class = DisconnectTolerantConnection


def _application(site: TimedPublicSite) -> QuartTrio:
    app = _Site(__name__, static_folder=None)

    @app.route("/exotel/<path:rest>", methods=["GET", "HEAD", "POST"])
    async def answer(rest: str) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body
        arrived = WebhookRequest(request.method, request.query_string, headers, body)
        reply = await site.answer(f"/exotel/{rest}", arrived)
        return Response(reply.body, reply.status, dict(reply.headers))

    return app


def _serve(loaded: LoadedConfig) -> int:
    clock = SystemClock()
    log = create_logger(sys.stdout, now=clock.now, secrets=loaded.secrets.all_spellings)
    listen = loaded.settings.listen.public

    async def main() -> None:
        async with aio_driver() as driver:
            world = Environment(clock, SystemRandom(), driver)
            url = loaded.settings.listen.public_url_for(listen)
            async with running_engine(loaded.settings, loaded.secrets, world, log, "bench", url) as engine:
                site = build_public_site(engine, loaded.secrets.webhook_token, log, Metrics())
                config = Config()
                config.bind = [str(listen)]
                config.accesslog = None
                config.keep_alive_timeout = 30.0
                config.keep_alive_max_requests = 10**9
                await serve(_application(site), config)

    trio.run(main)
    return 0


if __name__ == "__main__":
    sys.exit(run_with_config(_serve, Path(sys.argv[1])))
