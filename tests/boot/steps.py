"""What is tried on the booted machine, one step after the other; each says in words what it found."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.boot.machine import DidNotBoot, Machine
from tests.real.daemon import ExchangeServer, eventually
from tests.real.peers import missed_call, post, posting

PUBLIC, EXOTEL = 8080, 9000
API = "http://127.0.0.1:8081/api/v1"
CONFIG = "/etc/missedd/missedd.toml"
SOCKETS = ("missedd.socket", "missedd-private.socket")
AS_THE_UNIT = ("STATE_DIRECTORY=/var/lib/missedd", "CREDENTIALS_DIRECTORY=/etc/missedd/credentials")
MISSEDD = ("env", *AS_THE_UNIT, "/opt/missedd/bin/missedd")
OF_SYSTEMD_ITSELF = 200
"""Exit codes from here on say that systemd could not even start the program."""


def first_start(machine: Machine) -> str:
    """The first start:"""
    eventually(lambda: machine.shown("missedd", "SubState") in ("running", "auto-restart"), 60)
    code = int(machine.shown("missedd", "ExecMainStatus"))
    if code >= OF_SYSTEMD_ITSELF:
        raise DidNotBoot(f"systemd cannot set up the unit's sandbox in a container here (exit code {code})")
    (started,) = events(machine, "daemon.started")
    assert started["inherited"] == ["private", "public"]
    assert "is correct" in machine.run(*MISSEDD, "check", "--config", CONFIG)
    status = machine.path(f"/proc/{machine.shown('missedd', 'MainPID')}/status").read_text("utf-8")
    (memory_kb,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return f"ready, in {int(memory_kb) / 1024:.0f} MB"


def restarts_under_load(machine: Machine) -> str:
    """Ten restarts by hand under load:"""
    before, began = stored(), time.monotonic()
    with posting(PUBLIC, threads=12, prefix="restart") as posted:
        for _ in range(10):
            time.sleep(1)
            machine.run("systemctl", "restart", "missedd")
        time.sleep(1)
    heard, lasted_s = Counter(posted.statuses.values()), time.monotonic() - began
    assert heard == {"200": len(posted.statuses)}, heard
    assert stored() - before == heard["200"]
    assert_up(machine)
    return f"{heard['200']:,} calls at {heard['200'] / lasted_s:.0f}/s, 0 refused, 0 lost"


def watchdog(machine: Machine) -> str:
    """A daemon that stands still:"""
    before = int(machine.shown("missedd", "NRestarts"))
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGSTOP", "missedd")
    began = time.monotonic()
    assert post(PUBLIC, missed_call("watchdog-1", "09812345678"), 120) == "200"
    waited_s = time.monotonic() - began
    assert int(machine.shown("missedd", "NRestarts")) == before + 1
    assert "Watchdog timeout" in machine.run("journalctl", "-u", "missedd", "-o", "cat")
    return f"started anew by the watchdog; who rang meanwhile was answered after {waited_s:.0f} s"


def kills(machine: Machine) -> str:
    """kill -9, three times under load:"""
    machine.run("systemctl", "restart", "missedd")  # by hand, so the waits begin anew with the shortest
    with posting(PUBLIC, prefix="kill") as posted:
        for _ in range(3):
            time.sleep(1)
            pid = machine.shown("missedd", "MainPID")
            machine.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", "missedd")
            eventually(partial(_is_another, machine, pid), 60)
            eventually(lambda: machine.shown("missedd", "ActiveState") == "active", 60)
    heard = Counter(posted.statuses.values())
    # Who was connected when it died hears nothing, and Exotel asks again.
    assert set(heard) <= {"200", "ConnectionResetError", "nothing but b''"}, heard
    assert_up(machine)
    with httpx.Client(trust_env=False) as http:
        lost = [sid for sid in posted.sids("200") if http.get(f"{API}/calls/{sid}").status_code != 200]
    assert not lost
    cut = len(posted.statuses) - heard["200"]
    return f"{heard['200']:,} calls acknowledged, 0 of them lost, 0 refused, {cut} cut off"


def crash_loop(machine: Machine) -> str:
    """A configuration that is wrong, for half a minute:"""
    file = machine.path(CONFIG)
    well = file.read_text("utf-8")
    file.write_text("nonsense = 1\n" + well, "utf-8")
    answers: list[str] = []
    call = missed_call("crash-1", "09812345679")
    caller = threading.Thread(target=lambda: answers.append(post(PUBLIC, call, 180)))
    machine.run("systemctl", "restart", "missedd", check=False)
    caller.start()
    waits: dict[int, str] = {}
    began = time.monotonic()
    while len(waits) < 5 and time.monotonic() - began < 90:
        assert_up(machine)
        waits[int(machine.shown("missedd", "NRestarts"))] = machine.shown("missedd", "RestartUSecNext")
        time.sleep(0.2)
    file.write_text(well, "utf-8")
    caller.join()
    eventually(lambda: machine.shown("missedd", "ActiveState") == "active", 60)
    assert answers == ["200"], answers
    return (
        f"starts anew after {', '.join(waits.values())}; the sockets stayed; who rang meanwhile was answered"
    )


def reboot(machine: Machine) -> str:
    """A reboot with callbacks pending:"""
    callers = [f"0981111{i:04d}" for i in range(20)]
    with ExchangeServer(EXOTEL, None, "--exophone", "+918047120002") as exotel:
        for i, number in enumerate(callers):
            request = missed_call(f"reboot-{i}", number).replace(b"08047120001", b"08047120002")
            assert post(PUBLIC, request) == "200"
        assert not rung(exotel)
    began = time.monotonic()
    machine.reboot()
    took_s = time.monotonic() - began
    eventually(lambda: machine.shown("missedd", "ActiveState") == "active", 60)
    with ExchangeServer(EXOTEL, None, "--exophone", "+918047120002") as exotel:
        eventually(lambda: len(rung(exotel)) >= len(callers), 120)
        time.sleep(3)
        assert rung(exotel) == Counter(f"+91{number[1:]}" for number in callers)
    return f"up again in {took_s:.0f} s; {len(callers)} of {len(callers)} called back, each once"


def unix_socket(machine: Machine) -> str:
    """Behind a Unix socket that systemd holds:"""
    dropin = machine.path("/etc/systemd/system/missedd.socket.d")
    dropin.mkdir(exist_ok=True)
    (dropin / "unix.conf").write_text(
        "[Socket]\nListenStream=\nListenStream=/run/missedd/public.sock\nRuntimeDirectory=missedd\n", "utf-8"
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "stop", *SOCKETS, "missedd")
    machine.run("systemctl", "start", "missedd")
    assert "listen.public" in str(events(machine, "config.warned")[-1])
    heard = Counter[str]()
    for i in range(4):
        heard[over_unix(machine.path("/run/missedd/public.sock"), f"unix-{i}")] += 1
        machine.run("systemctl", "restart", "missedd")
    assert heard == {"200": 4}, heard
    machine.run("systemctl", "stop", *SOCKETS, "missedd")
    assert not machine.path("/run/missedd").exists()
    (dropin / "unix.conf").unlink()
    machine.run("systemctl", "daemon-reload")
    return "4 calls between 4 restarts, 0 refused; the warning that listen.public differs is there"


def restore(machine: Machine) -> str:
    """A backup put back, as docs/backup-and-restore.md says:"""
    machine.run("systemctl", "start", "missedd")
    machine.run(*MISSEDD, "backup", "--config", CONFIG, "/srv/backup.db")
    machine.run("systemctl", "stop", *SOCKETS, "missedd")
    refused = post(PUBLIC, missed_call("stopped-1", "09812345670"))
    assert (refused, machine.shown("missedd", "ActiveState")) == ("ConnectionRefusedError", "inactive")
    machine.run(*MISSEDD, "restore", "--config", CONFIG, "/srv/backup.db")
    machine.run("systemctl", "start", "missedd")
    machine.run(*MISSEDD, "release", "--config", CONFIG)
    assert post(PUBLIC, missed_call("restored-1", "09812345670")) == "200"
    return "stopped with its sockets, nobody started it meanwhile; it serves again"


STEPS: tuple[Callable[[Machine], str], ...] = (
    first_start,
    restarts_under_load,
    watchdog,
    kills,
    crash_loop,
    reboot,
    unix_socket,
    restore,
)


def _is_another(machine: Machine, pid: str) -> bool:
    return machine.shown("missedd", "MainPID") not in (pid, "0")


def assert_up(machine: Machine) -> None:
    for each in SOCKETS:
        assert machine.shown(each, "ActiveState") == "active", machine.run("systemctl", "status", each)


def stored() -> int:
    answer = httpx.get(f"{API}/analytics?campaign=shop", trust_env=False)
    return int(answer.raise_for_status().json()["total_calls"])


def rung(exotel: ExchangeServer) -> Counter[str]:
    return Counter(each["number"] for each in exotel.control("GET", "truth")["rings"])


def events(machine: Machine, name: str) -> list[dict[str, Any]]:
    lines = machine.run("journalctl", "-u", "missedd", "-o", "cat").splitlines()
    parsed = [json.loads(line) for line in lines if line.startswith("{")]
    return [each for each in parsed if each["event"] == name]


def over_unix(path: Path, sid: str) -> str:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(30)
        peer.connect(str(path))
        peer.sendall(missed_call(sid, "09812345671"))
        return peer.recv(4096)[9:12].decode()
