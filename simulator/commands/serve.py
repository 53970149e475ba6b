"""`missedd-sim serve`: Exotel over HTTP, until Ctrl-C or SIGTERM.

With `load` the only place of the simulator that reads the machine's clock.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio

from simulator.base.os_errors import describe_error
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.caller_pool import CallerPool
from simulator.exchange.model.formats import parse_number
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.webhooks.request import HttpPoster
from simulator.scenario.schema import CHOICES_BY_KEY
from simulator.server.admin import build_admin_app
from simulator.server.listener import build_asgi_app, serve_http

if TYPE_CHECKING:
    from argparse import _SubParsersAction

DRAIN_S = 5.0
EPILOG = """\
examples:
  missedd-sim serve --port 9000 --missed-call-url http://127.0.0.1:8080/exotel/TOKEN/missed-call
  curl -X POST localhost:9000/_sim/ring -d '{"number": "+919876543210"}'
  curl -X POST localhost:9000/_sim/ring -d '{"count": 20, "shape": "native", "spelling": "bare"}'
  curl -X POST localhost:9000/_sim/people -d '{"number": "+919876543210", "answers": "busy"}'
  curl -X POST localhost:9000/_sim/faults -d '{"name": "drop-reply", "target": "connect", "when": "after"}'
  curl -X DELETE localhost:9000/_sim/faults
  curl -X POST localhost:9000/_sim/settings -d '{"details_delay_s": 5, "senders": ["EXAMPL"]}'
  curl localhost:9000/_sim/truth
  curl -u simkey:simtoken localhost:9000/v2_beta/Accounts/example1/IncomingPhoneNumbers

To use it from the daemon, set api_base = "http://127.0.0.1:9000" under [exotel]. Key and token default to
EXOTEL_API_KEY and EXOTEL_API_TOKEN of the environment, so that both programs can share them.

values here and in scenario files ("fault" is a fault's "name"; "answers" may be a list, one per ring):
"""


def _choices_help() -> str:
    """The known values of each key, for the end of `--help`."""
    lines = (f"  {name:<9} {values.listing()}" for name, values in CHOICES_BY_KEY.items())
    wrapped = (textwrap.fill(each, 110, subsequent_indent=" " * 12, break_on_hyphens=False) for each in lines)
    return "\n".join(wrapped)


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="serve a simulated Exotel over HTTP",
        description="Serves Exotel's voice and SMS API, and simulates the people who get the calls and SMS.",
        epilog=EPILOG + _choices_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usual = ExchangeSettings()
    parser.add_argument("--port", type=_port, required=True, help="port to listen on; 0 for a free port")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--missed-call-url", type=_url, metavar="URL", help="URL to which missed calls are reported"
    )
    parser.add_argument(
        "--sms-text-url", type=_url, metavar="URL", help="URL that the dynamic SMS applet requests"
    )
    parser.add_argument("--sid", default=usual.account_sid, help="account SID (%(default)s)")
    parser.add_argument("--key", type=_credential, default=os.environ.get("EXOTEL_API_KEY", usual.api_key))
    parser.add_argument(
        "--token", type=_credential, default=os.environ.get("EXOTEL_API_TOKEN", usual.api_token)
    )
    parser.add_argument(
        "--exophone", type=_number, action="append", metavar="+91…", help="an ExoPhone; may be repeated"
    )
    parser.add_argument(
        "--calls-per-minute", type=int, default=usual.calls_per_minute, metavar="N", help="(%(default)s)"
    )
    parser.add_argument(
        "--channels", type=int, metavar="N", help="calls that the account may have at one time (no limit)"
    )
    parser.add_argument(
        "--last-to-wins",
        action="store_true",
        help="send an SMS with several To fields only to the last one (default: to each)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="seed of all random choices, to repeat a run (a new one each time)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    settings = ExchangeSettings(
        account_sid=arguments.sid,
        api_key=arguments.key,
        api_token=arguments.token,
        exophones=tuple(arguments.exophone or ExchangeSettings().exophones),
        missed_call_url=arguments.missed_call_url,
        sms_text_url=arguments.sms_text_url,
        calls_per_minute=arguments.calls_per_minute,
        channels=arguments.channels,
        last_to_wins=arguments.last_to_wins,
    )
    # A daemon that keeps its database takes a Sid that it has seen for a call delivered again.
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    code = 0
    try:
        trio.run(_serve, settings, arguments.host, arguments.port, seed)
    except* OSError as errors:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        where = f"{arguments.host}:{arguments.port}"
        print(f"missedd-sim: cannot listen on {where}: {describe_error(error)}", file=sys.stderr)
        code = 1
    return code


async def _serve(settings: ExchangeSettings, host: str, port: int, seed: int) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        await serve_until(settings, host, port, seed, signals)


async def serve_until(
    settings: ExchangeSettings,
    host: str,
    port: int,
    seed: int,
    signals: AsyncIterator[int],
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until the first of `signals`; starts with the base address. Raises OSError if it can't bind."""
    async with HttpPoster.client() as client, trio.open_nursery() as calls:
        exchange = Exchange(
            calls,
            lambda: datetime.now(UTC),
            Random(seed),  # noqa: S311 (repeatable on purpose)
            settings,
            HttpPoster(client),
            print_line=_print_line,
        )
        application = build_asgi_app(exchange, build_admin_app(exchange, CallerPool(seed)), _print_line)

        async def stopped() -> None:
            await anext(signals)

        async with trio.open_nursery() as listening:
            address = await listening.start(serve_http, application, host, port, stopped)
            print(_startup_line(address, settings, seed), flush=True)
            task_status.started(address)
        # Calls still in progress end with the exchange: there is nobody left to report them to.
        calls.cancel_scope.cancel()


def _print_line(line: str) -> None:
    with suppress(OSError):  # a terminal that was closed; the exchange goes on
        print(f"missedd-sim: {line}", file=sys.stderr, flush=True)


def _startup_line(address: str, settings: ExchangeSettings, seed: int) -> str:
    told = settings.missed_call_url
    where = (
        f"missed calls go to {urlsplit(told).netloc}" if told else "no --missed-call-url: nobody can ring in"
    )
    return (
        f"missedd-sim: Exotel at {address}, account {settings.account_sid}, key {settings.api_key}, "
        f"ExoPhones {' '.join(settings.exophones)}, seed {seed}; {where}"
    )


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL; it looks like http://127.0.0.1:8080/…")
    return text


def _credential(text: str) -> str:
    if not text.isalnum():
        raise argparse.ArgumentTypeError("Exotel's keys and tokens are letters and digits only")
    return text


def _number(text: str) -> str:
    number = parse_number(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a telephone number; it looks like +918047120001")
    return number
