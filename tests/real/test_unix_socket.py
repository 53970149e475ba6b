"""The public listener on a Unix socket, with a proxy's eyes: a real daemon, its file, its restart."""

from __future__ import annotations

import signal
import socket
import stat
from pathlib import Path

import httpx
import pytest

from missedd.web.public.unix_socket import MODE, listen_unix
from tests.real.daemon import TOKEN, Daemon, free_port

CAMPAIGN = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = { source = "missed_call" }
"""


def on_unix_socket(folder: Path) -> tuple[Daemon, Path]:
    daemon, path = Daemon(folder, CAMPAIGN, free_port()), folder / "public.sock"
    text = daemon.config.read_text("utf-8")
    public = f'public = "127.0.0.1:{daemon.public_port}"'
    assert public in text
    instead = f'public = "unix:{path}"\npublic_url = "https://calls.example.in"'
    daemon.config.write_text(text.replace(public, instead), "utf-8")
    return daemon, path


def ring(path: Path, sid: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://missedd") as http:
        return http.post(
            f"/exotel/{TOKEN}/missed-call",
            data={"CallSid": sid, "From": "+919876543210", "To": "+918047120001", "Status": "missed-call"},
        )


def test_calls_come_in_by_the_socket_and_a_killed_daemons_file_is_replaced(tmp_path: Path) -> None:
    daemon, path = on_unix_socket(tmp_path)
    with daemon:
        daemon.start()
        assert daemon.events("daemon.started")[0]["public"] == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == MODE
        assert ring(path, "one").headers["missedd-verdict"] == "accepted"
        daemon.signal(signal.SIGKILL)
        assert path.is_socket(), "left behind"
        daemon.start()
        assert ring(path, "one").headers["missedd-verdict"] == "redelivered"
        assert daemon.signal(signal.SIGTERM) == 0


def test_a_socket_that_was_passed_is_served_and_the_file_that_says_another_is_warned_of(
    tmp_path: Path,
) -> None:
    daemon, path = Daemon(tmp_path, CAMPAIGN, free_port()), tmp_path / "passed.sock"
    with daemon, socket.socket(socket.AF_UNIX) as passed:
        passed.bind(str(path))
        passed.listen()
        daemon.start({"public": passed})
        warnings = [str(each["warning"]) for each in daemon.events("config.warned")]
        said = f"listen.public: is 127.0.0.1:{daemon.public_port}, but systemd passed unix:{path}"
        assert [each for each in warnings if each.startswith(said)]
        assert ring(path, "one").headers["missedd-verdict"] == "accepted"
        assert daemon.signal(signal.SIGTERM) == 0


def test_what_is_no_leftover_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OSError, match="no socket"):
        listen_unix(tmp_path / "file")
    with socket.socket(socket.AF_UNIX) as somebody:
        somebody.bind(str(tmp_path / "taken"))
        somebody.listen()
        with pytest.raises(OSError, match="answers on it already"):
            listen_unix(tmp_path / "taken")
    assert (tmp_path / "file").read_text() == "precious"
