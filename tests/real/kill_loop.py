"""kill -9 again and again while people ring, and then the sum: nothing lost, nobody rung twice or at once.

    python -m tests.real.kill_loop --cycles 200 [--seed 1]

The exchange's own truth is the judge: what it was told was taken in, and whose telephone rang.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from simulator.invariants.one_callback_a_person import CallbackTrigger, overlapping_calls, repeated_calls
from simulator.invariants.placed_calls import NO_END, PlacedCall
from tests.real.daemon import Daemon, ExchangeServer, free_port

CALLBACK = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
dedup_window = "1s"
callback = { flow = "12345", delay = "1s", give_up_after = "2h", max_per_hour = 100 }
lead = { source = "missed_call" }
"""
RINGS = 30
"""People who ring in a cycle: with callbacks of the cycle before on their way out beside them."""

REPEAT_CALLERS = ("+919811100001", "+919811100002", "+919811100003")
"""They ring in every cycle and talk for a moment, so that a call of theirs is up at many a kill."""

MAX_UPTIME_S = 0.6
"""The longest that a daemon lives after it is ready; some die in the middle of their first commit."""

SETTLE_TIMEOUT_S = 300.0
"""How long what is due may take to go out. Two hundred kills leave a thousand callbacks behind."""

LOOKUP_TIME_S = 40.0
"""By then what was in flight at the last kill has had its first look-ups, after 5 and 35 seconds."""


FAILURE_COUNTS = ("lost", "doubled", "unserved", "at_once", "spoken")


@dataclass(slots=True)
class KillLoopResult:
    """What the exchange saw and what the daemon kept."""

    acknowledged: int
    stored: int
    accepted: int
    rung: int
    in_doubt: int
    """Attempts that a kill cut off and that the exchange does not know of: looked up, never redialled."""
    lost: list[str]
    """CallSids that got their 200 and are not in the database."""
    doubled: list[str]
    """Numbers rung more often than they are owed."""
    unserved: list[str]
    """Numbers owed a callback that neither rang nor is in doubt."""
    at_once: list[str]
    """Calls ordered to a number while a call of ours to it rang or talked."""
    spoken: list[str]
    """Calls to numbers that had talked and not rung since."""
    again: int
    """Calls to numbers that had talked before: each by right, or among the `spoken`."""
    waiting: int
    """Callbacks that wait for the end of a call to the same number, which a kill may have cut off from us."""

    @property
    def passed(self) -> bool:
        return not any(getattr(self, name) for name in FAILURE_COUNTS)

    def __str__(self) -> str:
        return (
            f"acknowledged {self.acknowledged}, stored {self.stored}, accepted {self.accepted}, "
            f"rung {self.rung}, again after a talk {self.again}, waiting {self.waiting}, "
            f"in doubt {self.in_doubt}; "
            + ", ".join(f"{name} {len(getattr(self, name))}" for name in FAILURE_COUNTS)
        )


def run(
    folder: Path, cycles: int, seed: int, say: Callable[[str], None], looked_s: float = LOOKUP_TIME_S
) -> KillLoopResult:
    """Start and kill the daemon `cycles` times under load, then let it finish and add up.

    What has not been found `looked_s` after the last start counts as in doubt.
    """
    rng, port = Random(seed), free_port()
    with (
        Daemon(folder, CALLBACK, port) as daemon,
        ExchangeServer(port, daemon.missed_call_url, "--calls-per-minute", "100000") as exchange,
    ):
        for number in REPEAT_CALLERS:
            exchange.control("POST", "people", {"number": number, "ring_s": 0.1, "talks_s": 0.5})
        exchange.control("POST", "settings", {"report_delay_s": 0})
        began, ready_s = time.monotonic(), 0.0
        for cycle in range(1, cycles + 1):
            ready_s = max(ready_s, daemon.start())
            exchange.control("POST", "ring", {"count": RINGS, "shape": "native", "wait": False})
            for number in REPEAT_CALLERS:
                exchange.control("POST", "ring", {"number": number, "shape": "native", "wait": False})
            time.sleep(rng.random() ** 2 * MAX_UPTIME_S)
            assert daemon.signal(signal.SIGKILL) == -signal.SIGKILL
            daemon.log_path.unlink()
            if cycle % 10 == 0:
                say(f"{cycle} kills in {time.monotonic() - began:.0f} s, slowest start {ready_s:.2f} s")
        daemon.start()
        _settle(daemon, looked_s)
        total = _compare(daemon, exchange)
        assert daemon.signal(signal.SIGTERM) == 0
        return total


def _settle(daemon: Daemon, looked_s: float) -> None:
    """Wait until nothing is due any more and nothing in flight lacks its first look-ups."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLE_TIMEOUT_S:
        planned = daemon.api("/api/v1/actions?kind=callback&state=planned&limit=1")["items"]
        attempting = daemon.api("/api/v1/actions?kind=callback&state=attempting&limit=1")["items"]
        if not planned and (not attempting or time.monotonic() - began > looked_s):
            return
        time.sleep(0.2)


def _compare(daemon: Daemon, exchange: ExchangeServer) -> KillLoopResult:
    calls = {each["call_sid"]: each for each in _all(daemon, "calls")}
    callbacks = [each for each in _all(daemon, "actions") if each["kind"] == "callback"]
    truth = exchange.control("GET", "truth")
    acknowledged = {
        each["call_sid"]
        for each in truth["deliveries"]
        if each["kind"] == "missed-call" and each["status"] == 200
    }
    # A second call may well find somebody on the telephone, which then does not ring.
    rung = Counter(each["number"] for each in (*truth["rings"], *truth["engaged"]))
    # Of two callbacks that a person is owed one closes; one that waits for a call of theirs is not overdue.
    due = [each for each in callbacks if each["outcome"] not in ("dropped", "cancelled")]
    owed = Counter(each["number"] for each in due)
    overdue = Counter(each["number"] for each in due if each["state"] != "held")
    made, again = placed_and_repeated_calls(truth, calls)
    in_doubt = Counter(
        each["number"]
        for each in callbacks
        if each["state"] == "attempting" or each["outcome"] in ("unknown", "expired")
    )
    return KillLoopResult(
        acknowledged=len(acknowledged),
        stored=len(calls),
        accepted=sum(each["verdict"] == "accepted" for each in calls.values()),
        rung=rung.total(),
        in_doubt=in_doubt.total(),
        lost=sorted(acknowledged - calls.keys()),
        doubled=sorted(number for number, times in rung.items() if times > owed[number]),
        unserved=sorted(number for number, n in overdue.items() if rung[number] + in_doubt[number] < n),
        at_once=[call.sid for call, _, _ in overlapping_calls(made, lambda number: 1)],
        spoken=[call.sid for call, _, is_wished in again if not is_wished],
        again=len(again),
        waiting=sum(each["state"] == "held" for each in callbacks),
    )


def placed_and_repeated_calls(
    truth: Any, calls: Mapping[str, Any]
) -> tuple[list[PlacedCall], list[tuple[PlacedCall, PlacedCall, bool]]]:
    """The exchange's calls of ours, and those of them to somebody who had talked before."""
    talks = {each["sid"]: _instant(each["answered_at"]) for each in truth["rings"] if not each["by_machine"]}
    made = [
        PlacedCall(
            sid=each["sid"],
            action=each["fields"].get("CustomField", ""),
            campaign="shop",
            number=each["from_number"],
            agent=None,
            since=datetime.fromisoformat(each["created_at"]),
            until=_instant(each["ended_at"]) or NO_END,
            talked_from=talks.get(each["sid"]),
        )
        for each in truth["connects"]
    ]
    wishes = [
        CallbackTrigger(each["number"], "shop", rung_at, rung_at)
        for each in truth["inbound"]
        if calls.get(each["call_sid"], {}).get("verdict") in ("accepted", "duplicate")
        and (rung_at := datetime.fromisoformat(each["rung_at"]))
    ]
    return made, list(repeated_calls(made, wishes))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _all(daemon: Daemon, what: str) -> list[Any]:
    """A whole list of the API, page by page."""
    items: list[Any] = []
    cursor = ""
    while True:
        page = daemon.api(f"/api/v1/{what}?limit=1000{cursor}")
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&cursor={page['next']}"


def main() -> int:
    parser = argparse.ArgumentParser(description="kill -9 in a loop, and a sum check")
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="missedd-kill-") as folder:
        total = run(Path(folder), arguments.cycles, arguments.seed, lambda text: print(text, flush=True))
    print(total)
    for name in FAILURE_COUNTS:
        if wrong := getattr(total, name):
            print(f"{name}: {' '.join(wrong[:20])}")
    return 0 if total.passed else 1


if __name__ == "__main__":
    sys.exit(main())
