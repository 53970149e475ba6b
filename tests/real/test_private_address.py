"""Who is shown what by the private listener: by where it is bound, and by the name that it is called."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from missedd.security.password import hash_password
from tests.real.daemon import Daemon, free_port
from tests.real.peers import ask

CAMPAIGN = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = {}
"""


@pytest.fixture
def open_to_all(tmp_path: Path) -> Daemon:
    daemon = Daemon(tmp_path, CAMPAIGN, free_port())
    text = daemon.config.read_text("utf-8").replace('private = "127.0.0.1', 'private = "0.0.0.0')
    daemon.config.write_text(text, "utf-8")
    return daemon


def test_an_open_private_address_without_a_password_does_not_start(open_to_all: Daemon) -> None:
    with pytest.raises(AssertionError):
        open_to_all.start()
    assert open_to_all.running is not None
    assert open_to_all.running.wait() == 78
    assert "listen.private: is open to everybody" in open_to_all.log_path.read_text("utf-8")


def test_a_passed_open_socket_without_a_password_does_not_start(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, CAMPAIGN, free_port())
    with socket.socket() as passed:
        passed.bind(("0.0.0.0", 0))
        passed.listen()
        with pytest.raises(AssertionError):
            daemon.start({"private": passed})
    assert daemon.running is not None
    assert daemon.running.wait() == 1
    assert "MISSEDD_CONSOLE_PASSWORD_HASH" in daemon.log_path.read_text("utf-8")


def test_with_one_it_shows_nothing_before_the_login(open_to_all: Daemon) -> None:
    open_to_all.environ["MISSEDD_CONSOLE_PASSWORD_HASH"] = hash_password("open sesame", bytes(16))
    with open_to_all:
        open_to_all.start()
        url = f"http://127.0.0.1:{open_to_all.private_port}"
        assert httpx.get(f"{url}/", trust_env=False).headers["location"] == "/login?next=%2F"
        assert httpx.get(f"{url}/api/v1/calls", trust_env=False).status_code == 401
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200


def test_on_loopback_it_answers_to_its_own_names_only(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, CAMPAIGN, free_port())
    text = daemon.config.read_text("utf-8").replace('private = "127.0.0.1', 'private = "localhost')
    daemon.config.write_text(text.replace("[listen]", '[listen]\nprivate_hosts = ["missedd.example.in"]'))

    def status(method: str, path: str, *headers: str, version: str = "1.1") -> str:
        lines = [f"{method} {path} HTTP/{version}", "Connection: close", *headers]
        heard = ask(daemon.private_port, "\r\n".join([*lines, "", ""]).encode())
        return heard.split(b" ", 2)[1].decode()

    with daemon:
        daemon.start()
        port, calls = daemon.private_port, "/api/v1/calls"
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", "missedd.example.in", "[::1]:9", "LOCALHOST."):
            assert status("GET", calls, f"Host: {host}") == "200"
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "203.0.113.1", ""):
            assert status("GET", calls, f"Host: {host}") == "421"
            assert status("GET", "/readyz", f"Host: {host}") == "200"
        assert status("GET", calls, version="1.0") == "200"
        erase = "/api/v1/numbers/+919876543210/erase"
        for origin in ("http://evil.example", f"http://127.0.0.1:{daemon.public_port}", "null"):
            assert status("POST", erase, f"Host: 127.0.0.1:{port}", f"Origin: {origin}") == "403"
        assert status("POST", erase, f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}") != "403"
        assert status("POST", erase, f"Host: 127.0.0.1:{port}") != "403"
