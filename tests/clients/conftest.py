"""`missedd-sim serve`, and clients of Exotel from the package index that know nothing of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parent.parent / "build" / "clients"
IS_READY = (ENVIRONMENT / ".ready").exists()
SID, KEY, TOKEN = "example1", "k1", "t1"
EXOPHONE = "+918047120001"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Where they are expected, their absence is a failure of the fixture that starts them.
    if IS_READY or os.environ.get("MISSEDD_CLIENTS") == "required":
        return
    missing = pytest.mark.skip(reason="no clients of Exotel on this machine: make clients")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(missing)


class Simulator:
    """The address of a running simulator, and what it says really happened."""

    def __init__(self, base: str) -> None:
        self.base = base

    def truth(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = httpx.get(f"{self.base}/_sim/truth", trust_env=False).json()
        return found

    def made(self, kind: str, sid: str) -> dict[str, Any]:
        """The call or text of that Sid. The request that made it has no parameter that nobody reads."""
        truth = self.truth()
        (request,) = (each for each in truth["api_requests"] if sid in each["sids"])
        assert request["ignored"] == []
        (fact,) = (each for each in truth[kind] if each["sid"] == sid)
        return fact

    def last_request(self) -> tuple[str, str]:
        request = self.truth()["api_requests"][-1]
        assert request["ignored"] == []
        return request["method"], request["path"]


class Clients:
    """The driver of the clients, in their own environment."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(order) + "\n")
        self._program.stdin.flush()
        answer: dict[str, Any] = json.loads(self._program.stdout.readline())
        return answer


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    command = [sys.executable, "-m", "simulator", "serve", "--port", "0", "--exophone", EXOPHONE]
    command += ["--sid", SID, "--key", KEY, "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        yield Simulator(program.stdout.readline().split("Exotel at ")[1].split(",")[0])
        program.terminate()


@pytest.fixture(scope="session")
def clients(simulator: Simulator) -> Iterator[Clients]:
    assert IS_READY, "no clients, and MISSEDD_CLIENTS says that these tests must run: make clients"
    command = [str(ENVIRONMENT / "bin" / "python"), str(HERE / "driver.py"), simulator.base]
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as program:
        yield Clients(program)
        assert program.stdin is not None
        program.stdin.close()
