"""The queue: what is due when, what is held and why, and when the backlog will be gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from quart import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.analytics.backlog_forecast import Backlog, forecast
from missedd.core.model import LANE_OF, Kind, Lane, State
from missedd.web.console.context import House
from missedd.web.console.forms import Mistake, done
from missedd.web.console.render import page
from missedd.web.shared.actor import acting

DUE: Final = 50


def add_queue(console: Blueprint, house: House) -> None:
    @console.get("/queue")
    async def queue() -> str:
        pending = await house.remembered.get("pending", house.reads.pending)
        backlogs = await house.remembered.get("backlogs", lambda: house.reads.backlogs(house.clock.now()))
        return await page(
            "queue.html",
            here="/queue",
            lanes=lanes(backlogs, house.rates, house.held, house.local_now()),
            held=held(pending),
            out=sum(each["count"] for each in pending if each["state"] in (State.ATTEMPTING, State.PLACED)),
            due=await house.reads.due_next(house.clock.now(), DUE),
            paused=await house.reads.pauses(house.clock.now()),
            quarantine=await house.reads.quarantine(),
        )

    @console.post("/quarantine/release")
    async def release() -> BaseResponse:
        what = (await request.form).get("what")
        if what not in ("release", "drop"):
            raise Mistake("Please choose whether they are to go or to be dropped.")
        drop = what == "drop"
        count = await house.operations.release(acting(), drop=drop)
        return await done(f"{count:,} actions {'dropped' if drop else 'released'}; the quarantine is over.")


def lanes(
    backlogs: Mapping[Kind, Backlog],
    rates: Mapping[Lane, int],
    held: Callable[[Lane], str | None],
    now: datetime,
) -> list[dict[str, Any]]:
    """Each kind's backlog, and at what time it will be gone at the account's rate, where there is one and
    its lane goes."""
    found = []
    for kind, backlog in backlogs.items():
        lane = LANE_OF[kind]
        rate = rates.get(lane)
        why_held = None if rate is None else held(lane)
        ahead = None if rate is None or why_held is not None else forecast(backlog, rate)
        found.append(
            {
                "kind": kind,
                "due": backlog.due,
                "soon": backlog.soon,
                "rate": rate,
                "held": None if why_held is None else why_held.replace("-", " "),
                "gone_at": None if ahead is None else now + ahead.lasts,
                "expiring": 0 if ahead is None else ahead.expiring,
            }
        )
    return found


def held(pending: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is held, by reason, the most first."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in pending:
        if each["state"] == State.HELD:
            counts[each["reason"], each["reason_words"]] += each["count"]
    return [{"reason": reason, "words": words, "count": n} for (reason, words), n in counts.most_common()]
