"""`missedd demo`: daemon, simulator and console together, with callers ringing.

Two real processes speak real HTTP on loopback: the daemon on a database in a temporary folder, and
the simulated exchange. This one makes people ring and tells in words what the daemon's log says.
"""

from __future__ import annotations

import argparse
import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from random import Random

import httpx
import trio

from missedd.commands.demo_narration import Narrator, greeting
from missedd.commands.shared.options import FAILED, OK, USAGE
from missedd.config.values import parse_duration
from missedd.security.password import SALT_BYTES, hash_password

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

SIMULATOR_PACKAGES = ("faker", "hdrh")
"""Modules that the extra `missedd[sim]` brings."""

CONFIG = """\
[listen]
public = "127.0.0.1:{public}"
private = "127.0.0.1:{private}"

[exotel]
account_sid = "demo1"
api_base = "http://127.0.0.1:{exotel}"

[[campaign]]
name = "admissions"
exophones = ["+918047120001"]
dedup_window = "1m"
callback = {{ flow = "12345", delay = "8s", retries = ["20s"] }}
lead = {{ source = "missed_call" }}

[[campaign]]
name = "information"
exophones = ["+918047120002"]
[campaign.sms]
sender = "EXAMPL"
body = "Thank you for calling. Visit https://example.in"

[[campaign]]
name = "sales"
exophones = ["+918047120003"]
callback = {{ agents = ["+919800000001", "+919800000002"], delay = "5s" }}
sms = {{ sender = "EXAMPL", body = "An agent will call you in a moment." }}
lead = {{ source = "advertisement" }}

[[poll]]
name = "singer"

[[campaign]]
name = "vote-asha"
exophones = ["+918047120004"]
vote = {{ poll = "singer", option = "Asha" }}

[[campaign]]
name = "vote-ravi"
exophones = ["+918047120005"]
vote = {{ poll = "singer", option = "Ravi" }}
"""
EXOPHONES = {
    "+918047120001": 4,
    "+918047120002": 2,
    "+918047120003": 3,
    "+918047120004": 3,
    "+918047120005": 2,
}
"""Each with how many of fourteen callers ring it."""
ANSWERS = ("answer", "answer", "answer", "no-answer", "busy")
READY_WITHIN_S = 20.0


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "demo",
        help="run the daemon, the simulator and the console with simulated callers; no account needed",
        description="Starts the daemon and the simulated exchange on this machine. Simulated people call "
        "three campaigns and vote in a poll, and the demo prints what happens. It also prints the address of "
        "the console and a password; with the password you can pause a campaign or settle an outcome there. "
        "No real call is made. Ctrl-C ends the demo.",
    )
    parser.add_argument("--for", dest="for_", metavar="T", help="end after this time, such as 30s (no limit)")
    parser.add_argument("--per-minute", type=float, default=20, metavar="N", help="calls per minute (20)")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another number simulates other people (1)"
    )
    parser.add_argument("--port", type=int, default=8081, help="the console's port, if it is free (8081)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if missing := [name for name in SIMULATOR_PACKAGES if find_spec(name) is None]:
        print(
            f"missedd demo needs the packages of the simulator, and {' and '.join(missing)} cannot be found: "
            "install missedd[sim] in place of missedd",
            file=sys.stderr,
        )
        return FAILED
    limit_s = None
    if args.for_ is not None:
        parsed = parse_duration(args.for_)
        if parsed is None:
            print(f"--for {args.for_}: write a duration such as 30s or 5m", file=sys.stderr)
            return USAGE
        limit_s = parsed.total_seconds()
    code = OK
    # Where nobody reads what it tells any more, as after `missedd demo | head` or in a terminal that was
    # closed, it ends.
    try:
        code = trio.run(_demo, args, limit_s)
    except* BrokenPipeError:
        pass
    except* OSError as failures:
        if failures.split(lambda failure: getattr(failure, "errno", None) == errno.EIO)[1] is not None:
            raise
    return code


async def _demo(args: argparse.Namespace, limit_s: float | None) -> int:
    with (
        trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals,
        tempfile.TemporaryDirectory(prefix="missedd-demo-") as folder,
    ):
        ports = {"private": _free_port(args.port), "public": _free_port(0), "exotel": _free_port(0)}
        config = Path(folder) / "missedd.toml"
        config.write_text(CONFIG.format(**ports), "utf-8")
        token, password = secrets.token_hex(16), secrets.token_urlsafe(9)
        environ = {
            **os.environ,
            "EXOTEL_API_KEY": "demokey",
            "EXOTEL_API_TOKEN": "demotoken",
            "MISSEDD_WEBHOOK_TOKEN": token,
            "MISSEDD_CONSOLE_PASSWORD_HASH": hash_password(password, secrets.token_bytes(SALT_BYTES)),
        }
        exchange = [sys.executable, "-m", "simulator", "serve", "--sid", "demo1"]
        exchange += ["--port", str(ports["exotel"]), "--seed", str(args.seed)]
        exchange += ["--missed-call-url", f"http://127.0.0.1:{ports['public']}/exotel/{token}/missed-call"]
        exchange += [part for number in EXOPHONES for part in ("--exophone", number)]
        daemon = [sys.executable, "-m", "missedd", "serve", "--config", str(config)]
        told, opened = Narrator(), trio.Event()
        async with trio.open_nursery() as nursery:
            exchange_runs = await nursery.start(
                _run_program, exchange, environ, lambda _greeting: opened.set()
            )
            daemon_runs = await nursery.start(_run_program, daemon, environ, told.narrate)
            with trio.move_on_after(READY_WITHIN_S) as starting:
                await told.started.wait()
                await opened.wait()
            ended_well = not starting.cancelled_caught
            if ended_well:
                print(greeting(f"http://127.0.0.1:{ports['private']}/", password), flush=True)
                async with trio.open_nursery() as ringing:
                    ringing.start_soon(_place_calls, args, f"http://127.0.0.1:{ports['exotel']}", told)
                    with trio.move_on_after(limit_s if limit_s is not None else float("inf")):
                        async for _ in signals:
                            break
                    ringing.cancel_scope.cancel()
            else:
                print("the daemon did not start; its own words are above", file=sys.stderr)
            for each in (daemon_runs, exchange_runs):
                each.terminate()
                await each.wait()
            nursery.cancel_scope.cancel()
        print(told.summary())
        return OK if ended_well and daemon_runs.returncode == 0 else FAILED


def _free_port(wanted: int) -> int:
    """`wanted` if nobody has it, else any other."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _run_program(
    command: list[str],
    environ: Mapping[str, str],
    on_line: Callable[[str], None],
    task_status: trio.TaskStatus[trio.Process],
) -> None:
    """Run a program until it ends; `hear` is given its lines.

    In a session of its own: Ctrl-C on the terminal is for the demo alone, which stops the programs
    one after the other.
    """
    async with trio.open_nursery() as nursery:
        run_process = partial(
            trio.run_process,
            command,
            env=environ,
            check=False,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        process: trio.Process = await nursery.start(run_process)
        task_status.started(process)
        if process.stdout is not None:
            async for line in _lines(process.stdout):
                on_line(line)


async def _lines(stream: trio.abc.ReceiveStream) -> AsyncIterator[str]:
    pending = b""
    async for chunk in stream:
        *whole, pending = (pending + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")


async def _place_calls(args: argparse.Namespace, exchange_url: str, narrator: Narrator) -> None:
    """Let somebody ring every now and then, for ever; some ring twice, as people do."""
    rng = Random(args.seed)  # noqa: S311 - who rings when is no secret
    from faker import Faker

    names = Faker("en_IN")
    names.seed_instance(args.seed)
    async with httpx.AsyncClient(base_url=exchange_url, trust_env=False) as http:
        for agent in ("+919800000001", "+919800000002"):
            await http.post("/_sim/people", json={"number": agent, "ring_s": 1})
        while True:
            # Of India's numbers only those with a 9 are mobiles throughout, which take SMS.
            number = f"+919{rng.randrange(10**9):09d}"
            narrator.add_caller(number, names.name())
            person = {
                "number": number,
                "answers": rng.choice(ANSWERS),
                "ring_s": 2,
                "talks_s": rng.randint(3, 20),
            }
            await http.post("/_sim/people", json=person)
            call = {
                "number": number,
                "exophone": rng.choices(list(EXOPHONES), list(EXOPHONES.values()))[0],
                "shape": rng.choice(("passthru", "native")),
                "count": 2 if rng.random() < 0.15 else 1,
            }
            await http.post("/_sim/ring", json=call, timeout=30)
            await trio.sleep(rng.expovariate(args.per_minute / 60))
