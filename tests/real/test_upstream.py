"""A provider that is not there, with real sockets: what is due waits, is told of, and goes on by itself."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx

from tests.real.daemon import Daemon, ExchangeServer, eventually, free_port

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "0s", give_up_after = "15m" }
"""


def ring(daemon: Daemon, caller: str) -> None:
    fields = {"CallSid": f"sid-{caller}", "From": caller, "To": "08047120001", "CallType": "call-attempt"}
    httpx.post(daemon.missed_call_url, data=fields, trust_env=False).raise_for_status()


def standing(daemon: Daemon) -> set[tuple[Any, ...]]:
    actions = daemon.api("/api/v1/actions?kind=callback")["items"]
    return {(each["state"], each["reason"]) for each in actions}


def test_the_daemon_waits_for_a_closed_provider_port_and_goes_on(tmp_path: Path) -> None:
    port = free_port()
    with Daemon(tmp_path, SHOP, port) as daemon:
        daemon.start()
        for caller in ("09876500001", "09876500002", "09876500003"):
            ring(daemon, caller)
        eventually(lambda: standing(daemon) == {("held", "provider-unreachable")})
        (told,) = daemon.events("provider.unreachable")
        assert (told["level"], told["lane"]) == ("error", "voice")
        assert "the connection was refused" in told["why"]
        private = f"http://127.0.0.1:{daemon.private_port}"
        assert httpx.get(f"{private}/readyz", trust_env=False).status_code == 200
        page = httpx.get(private, trust_env=False).text
        assert 'data-trouble="provider-unreachable"' in page
        with ExchangeServer(port):
            eventually(lambda: {state for state, _ in standing(daemon)} <= {"placed", "done"}, 70)
            assert len(daemon.events("provider.reachable")) == 1
            assert len(daemon.events("attempt.accepted")) == 3
            assert daemon.signal(signal.SIGTERM) == 0
