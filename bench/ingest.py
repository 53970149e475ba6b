"""How many missed calls a second are acknowledged: missedd between its ceilings and what it replaces.

The *durable floor* is what any answer after a commit costs; see `bench.durable_floor`.

All of them in turn, several times over, each on an empty database of its own; the median counts.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.rig import Server, hammer, serving
from tests.real.daemon import Daemon, free_port

CAMPAIGN: Final = """
catch_up = false
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "20m", give_up_after = "3h" }
"""
"""Callbacks fall due long after the round: what is measured is the taking in."""

MINE: Final = "missedd"


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    about: str
    serve: Callable[[Path], AbstractContextManager[Server]]
    database: str | None = None
    """Where the calls are when it was told of them, in its folder."""


@contextmanager
def missedd(folder: Path, checkout: Path | None = None) -> Iterator[Server]:
    with Daemon(folder, CAMPAIGN, free_port(), checkout) as daemon:
        daemon.start()
        if daemon.running is None:
            raise AssertionError("started without a process")
        yield Server(daemon.running.pid, daemon.public_port)


def _bare(folder: Path) -> AbstractContextManager[Server]:
    port = free_port()
    return serving(port, "bench.bare", str(port))


def _floor(folder: Path) -> AbstractContextManager[Server]:
    port = free_port()
    return serving(port, "bench.durable_floor", str(port), str(folder / "floor.db"))


def _hypercorn(folder: Path) -> AbstractContextManager[Server]:
    # Written as for the daemon, started by another program.
    daemon = Daemon(folder, CAMPAIGN, free_port())
    return serving(daemon.public_port, "bench.hypercorn_intake", str(daemon.config))


def _fastapi(folder: Path) -> AbstractContextManager[Server]:
    port = free_port()
    return serving(port, "bench.fastapi_recipe", str(port), str(folder / "recipe.db"))


CONTENDERS: Final = (
    Contender("bare", "a constant answer: httptools on trio", _bare),
    Contender("floor", "read and durable, nothing decided", _floor, "floor.db"),
    Contender(MINE, "decided and durable, each of them", missedd, "missedd.db"),
    Contender("hypercorn", "the same behind Hypercorn and Quart-Trio", _hypercorn, "missedd.db"),
    Contender("fastapi", "FastAPI and aiosqlite, a transaction a call", _fastapi, "recipe.db"),
)


def measure(say: Callable[[str], None], rounds: int, for_s: float, generator: str) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {each.name: [] for each in CONTENDERS}
    for n in range(1, rounds + 1):
        for contender in CONTENDERS:
            say(f"ingest, round {n} of {rounds}: {contender.name}")
            found[contender.name].append(run_round(contender, for_s, generator))
    medians = {
        name: {key: round(median(each[key] for each in rounds_of), 2) for key in rounds_of[0]}
        for name, rounds_of in found.items()
    }
    mine = medians[MINE]["rate"]
    return {
        "generator": generator,
        "rounds": rounds,
        "contenders": {
            each.name: {
                "about": each.about,
                **medians[each.name],
                "mine_is": round(mine / medians[each.name]["rate"], 3),
            }
            for each in CONTENDERS
        },
    }


def run_round(contender: Contender, for_s: float, generator: str) -> dict[str, float]:
    """Calls a second, the time of 99 of 100 answers, and processor time a call, on an empty database."""
    with tempfile.TemporaryDirectory(prefix="missedd-bench-") as name:
        folder = Path(name)
        with contender.serve(folder) as server:
            hammer(server, 1.0, generator)  # caches, connections, the first pages of the file
            before_s = server.cpu_s()
            hammered = hammer(server, for_s, generator)
            cpu_s = server.cpu_s() - before_s
        if contender.database:
            account_for(folder / contender.database, hammered.answered)
    if hammered.failed:
        raise RuntimeError(f"{contender.name} failed {hammered.failed} requests")
    return {
        "rate": hammered.rate,
        "p99_ms": hammered.p99_ms,
        "cpu_us": cpu_s / hammered.answered * 1e6,
    }


def account_for(database: Path, answered: int) -> None:
    """Raise `RuntimeError` if fewer calls are stored than were answered: who forgets is not measured."""
    with sqlite3.connect(database) as connection:
        ((stored,),) = connection.execute("SELECT count(*) FROM calls")
    connection.close()
    if stored < answered:
        raise RuntimeError(f"{answered} calls were acknowledged and {stored} are stored")
