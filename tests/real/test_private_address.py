"""A private listener that anybody may reach asks for a password, whoever bound it."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from missedd.core.password import hashed
from tests.real.daemon import Daemon, free_port

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


def test_it_does_not_start_without_one(open_to_all: Daemon) -> None:
    with pytest.raises(AssertionError):
        open_to_all.start()
    assert open_to_all.running is not None
    assert open_to_all.running.wait() == 78
    assert "listen.private: is where anybody may come" in open_to_all.log_path.read_text("utf-8")


def test_nor_on_a_socket_that_it_was_given(tmp_path: Path) -> None:
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
    open_to_all.environ["MISSEDD_CONSOLE_PASSWORD_HASH"] = hashed("open sesame", bytes(16))
    with open_to_all:
        open_to_all.start()
        url = f"http://127.0.0.1:{open_to_all.private_port}"
        assert httpx.get(f"{url}/", trust_env=False).headers["location"] == "/login?next=%2F"
        assert httpx.get(f"{url}/api/v1/calls", trust_env=False).status_code == 401
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
