"""A full disk and no file descriptors: refused in words, nothing pretended, and well again by itself."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.real.daemon import Daemon, eventually, free_port
from tests.real.peers import missed_call, post

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = { source = "missed_call" }
"""


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own in `folder`; skips where only root may have one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def stored(daemon: Daemon) -> int:
    return int(daemon.api("/api/v1/analytics?campaign=shop")["total_calls"])


def test_a_full_disk_is_said_and_lived_through(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk:
        on_disk = f'{SHOP}[store]\npath = "{disk}/missedd.db"\n'
        with Daemon(tmp_path, on_disk, free_port()) as daemon:
            daemon.start()
            heard = {"before": post(daemon.public_port, missed_call("before", "09876500000"))}
            ballast = disk / "ballast"
            fill(ballast)
            # The log has some room of its own left, so the first ones may still be kept.
            for n in range(400):
                heard[f"c{n}"] = post(daemon.public_port, missed_call(f"c{n}", f"0{9_000_000_000 + n}"))
                if n > 20 and list(heard.values())[-20:] == ["503"] * 20:
                    break
            assert set(heard.values()) == {"200", "503"}
            failed = daemon.events("store.commit_failed")
            assert failed[0]["level"] == "error"
            assert [each.get("times") for each in failed if each["unit"] == "admit"][:2] == [None, 10]
            assert daemon.running is not None
            assert daemon.running.poll() is None

            kept = [sid for sid, status in heard.items() if status == "200"]
            assert stored(daemon) == len(kept)
            ballast.unlink()
            again = {
                sid: post(daemon.public_port, missed_call(sid, f"0{9_000_000_000 + int(sid[1:])}"))
                for sid, status in heard.items()
                if status == "503"
            }
            assert set(again.values()) == {"200"}
            assert stored(daemon) == len(heard)
            assert daemon.signal(signal.SIGTERM) == 0


def fill(ballast: Path) -> None:
    """Write until there is no room for another byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def test_without_file_descriptors_it_waits_and_comes_back(tmp_path: Path) -> None:
    with Daemon(tmp_path, SHOP, free_port()) as daemon, ExitStack() as peers:
        daemon.start()
        assert daemon.running is not None
        assert post(daemon.public_port, missed_call("before", "09876500000")) == "200"
        used = len(os.listdir(f"/proc/{daemon.running.pid}/fd"))
        resource.prlimit(daemon.running.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        # Those beyond the limit are taken by the kernel, and wait there to be accepted.
        silent = [
            peers.enter_context(socket.create_connection(("127.0.0.1", daemon.public_port)))
            for _ in range(40)
        ]
        eventually(lambda: len(os.listdir(f"/proc/{daemon.running.pid}/fd")) >= used + 20)
        assert daemon.running.poll() is None
        for each in silent[:30]:
            each.close()
        eventually(lambda: post(daemon.public_port, missed_call("after", "09876500001")) == "200")
        assert stored(daemon) == 2
        assert daemon.signal(signal.SIGTERM) == 0
