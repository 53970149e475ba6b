"""Restarts of the daemon behind a real proxy that keeps its connections: what those who ring meanwhile hear.

    python -m tests.real.proxies [--proxy nginx …] [--restarts 10] [--rate 500] [--without-sockets]

The configurations are those of docs/getting-started.md. With passed sockets, as under systemd, nothing but
200 is right. Without them nobody listens between a stop and a start, and the proxy's own patience decides.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.daemon import ENVIRON, TOKEN, Daemon, eventually, free_port

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = { source = "missed_call" }
"""
RESTART_INTERVAL_S = 1.5
"""Of a daemon's life between two restarts: time for the proxy to keep connections anew."""

PAGE = Path(__file__).parent.parent.parent / "docs" / "getting-started.md"

CADDY = """
{
    admin off
    auto_https off
}
SHOWN
"""
NGINX = """
daemon off;
pid nginx.pid;
worker_processes 1;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    SHOWN
}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
SHOWN
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    program: str
    around: str
    """What a machine's own configuration has around the part that the page shows, `SHOWN`."""
    public: str
    """Where the proxy listens on the page; `here` with a free port replaces it."""
    here: str
    arguments: Callable[[Path], list[str]]

    def config(self, port: int, upstream: int) -> str:
        (shown,) = re.findall(rf"```{self.program}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        assert self.public in shown
        shown = shown.replace(self.public, self.here.format(port=port))
        return self.around.replace("SHOWN", shown.replace("127.0.0.1:8080", f"127.0.0.1:{upstream}"))

    @contextmanager
    def running(self, folder: Path, upstream: int) -> Iterator[int]:
        """Run it before the daemon's port; gives its own."""
        port, config = free_port(), folder / f"{self.program}.conf"
        # Else nginx, started by root, gives its work to a user who may not write here.
        user = "user root;\n" if self.program == "nginx" and os.geteuid() == 0 else ""
        config.write_text(user + self.config(port, upstream), "utf-8")
        environ = os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        program = shutil.which(self.program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert program is not None
        with (folder / f"{self.program}.log").open("wb") as log:
            started = subprocess.Popen(
                [program, *self.arguments(config)], stdout=log, stderr=log, cwd=folder, env=environ
            )
        try:
            eventually(lambda: _answers(port))
            yield port
        finally:
            started.terminate()
            started.wait(20)


PROXIES: Mapping[str, Proxy] = {
    each.program: each
    for each in (
        Proxy(
            "caddy",
            CADDY,
            "calls.example.in",
            "http://127.0.0.1:{port}",
            lambda config: ["run", "--adapter", "caddyfile", "--config", str(config)],
        ),
        Proxy(
            "nginx",
            NGINX,
            "listen 443 ssl",
            "listen 127.0.0.1:{port}",
            lambda config: ["-p", str(config.parent), "-c", str(config), "-e", "stderr"],
        ),
        Proxy(
            "haproxy",
            HAPROXY,
            "bind :443 ssl crt /etc/haproxy/calls.example.in.pem",
            "bind 127.0.0.1:{port}",
            lambda config: ["-db", "-f", str(config)],
        ),
    )
}


def is_installed(name: str) -> bool:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is not None


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class ProxyRunResult:
    """What callers heard in all, by status or by what went wrong; how many calls the daemon has kept."""

    statuses: Mapping[str, int]
    stored: int
    slowest_ms: float

    @property
    def passed(self) -> bool:
        return list(self.statuses) == ["200"] and self.stored == self.statuses["200"]


def run(folder: Path, proxy: Proxy, restarts: int, rate: int, *, with_sockets: bool = True) -> ProxyRunResult:
    """Restart the daemon so many times under so many calls a second."""
    with Daemon(folder, SHOP, free_port()) as daemon, ExitStack() as stack:
        passed: dict[str, socket.socket] = {}
        if with_sockets:
            address = ("127.0.0.1", daemon.public_port)
            passed["public"] = stack.enter_context(socket.create_server(address, backlog=4096))
        daemon.start(passed)
        port = stack.enter_context(proxy.running(folder, daemon.public_port))
        with _ringing(folder, port, rate) as figures:
            for _ in range(restarts):
                time.sleep(RESTART_INTERVAL_S)
                assert daemon.signal(signal.SIGTERM) == 0
                daemon.start(passed)
            time.sleep(RESTART_INTERVAL_S)
        said = json.loads(figures.read_text("utf-8"))
        stored = int(daemon.api("/api/v1/analytics?campaign=shop")["total_calls"])
        assert daemon.signal(signal.SIGTERM) == 0
    return ProxyRunResult(said["statuses"] | said["lost"], stored, said["latency_ms"]["max"])


@contextmanager
def _ringing(folder: Path, port: int, rate: int) -> Iterator[Path]:
    """People ring through the proxy until the block ends; what they heard is then in the file."""
    figures = folder / "load.json"
    url = f"http://127.0.0.1:{port}/exotel/{TOKEN}/missed-call"
    patience = ("--timeout", "60", "--start-within", "60", "--for", "1h")
    command = ("load", "--url", url, "--rate", str(rate), *patience, "--json", str(figures))
    with (folder / "load.log").open("wb") as log:
        load = subprocess.Popen(
            [sys.executable, "-m", "simulator", *command], stdout=log, stderr=log, env=ENVIRON
        )
    try:
        yield figures
        load.send_signal(signal.SIGINT)
        load.wait(90)
    finally:
        if load.poll() is None:
            load.kill()
            load.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.real.proxies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--proxy", choices=sorted(PROXIES), action="append", help="all that are installed")
    parser.add_argument("--restarts", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--rate", type=int, default=500, help="calls a second (%(default)s)")
    parser.add_argument("--without-sockets", action="store_true", help="the daemon binds its own port")
    options = parser.parse_args()
    is_right = True
    for name in options.proxy or PROXIES:
        if not is_installed(name):
            print(f"{name}: not installed, not tried")
            continue
        with tempfile.TemporaryDirectory() as folder:
            heard = run(
                Path(folder),
                PROXIES[name],
                options.restarts,
                options.rate,
                with_sockets=not options.without_sockets,
            )
        is_right = is_right and heard.passed
        print(f"{name}: {heard}", flush=True)
    return 0 if is_right or options.without_sockets else 1


if __name__ == "__main__":
    sys.exit(main())
