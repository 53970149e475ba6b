"""P8 and P9: every reason is known, holds and can be told; every figure equals a recount.

The recount shares nothing with the daemon's own arithmetic but the tables.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from missedd.config import Settings
from missedd.core.explain import story
from missedd.core.reasons import Reason
from simulator.runner.stage import Stage
from simulator.runner.tally import Tally
from simulator.runner.witness import Witness

MISSED_CALLS = ("accepted", "duplicate", "suppressed", "no-caller-id")


async def judge_records(stage: Stage, settings: Settings, witness: Witness, tally: Tally) -> None:
    await _known_reasons(witness, tally)
    await _reasons_hold(settings, witness, tally)
    await _stories(stage, settings, witness, tally)
    for name in (None, *(each.name for each in settings.policy.campaigns)):
        await _figures(stage, settings, witness, tally, name)


async def _known_reasons(witness: Witness, tally: Tally) -> None:
    known = {each.value for each in Reason}
    for table in ("calls", "actions", "attempts"):
        rows = await witness.rows(f"SELECT id, reason FROM {table} WHERE reason IS NOT NULL")  # noqa: S608
        for row_id, reason in rows:
            tally.hold("P8 reasons", reason in known, f"{table} {row_id} has the unknown reason {reason!r}")


async def _reasons_hold(settings: Settings, witness: Witness, tally: Tally) -> None:
    """A duplicate has an accepted call within the window; an accepted one has none decided before it."""
    rows = await witness.rows(
        """SELECT id, call_sid, caller, campaign, called_at / 1e6, verdict FROM calls
           WHERE verdict IN ('accepted', 'duplicate') ORDER BY id"""
    )
    windows = {each.name: each.dedup_window.total_seconds() for each in settings.policy.campaigns}
    accepted = [row for row in rows if row[5] == "accepted"]
    for call_id, sid, caller, campaign, at_s, verdict in rows:
        near = [
            each
            for each in accepted
            if each[2:4] == (caller, campaign)
            and each[0] < call_id
            and abs(at_s - each[4]) < windows[campaign]
        ]
        tally.hold(
            "P8 reasons",
            bool(near) == (verdict == "duplicate"),
            f"call {sid} is {verdict} with {len(near)} accepted calls in its dedup window before it",
            sid,
            caller,
        )


async def _stories(stage: Stage, settings: Settings, witness: Witness, tally: Tally) -> None:
    for (sid,) in await witness.rows("SELECT call_sid FROM calls ORDER BY id"):
        call = await stage.host.api("GET", f"/api/v1/calls/{sid}")
        told = story(call, stage.clock.now(), settings.timezone)
        reasons = {call["reason"], *(each["reason"] for each in call["actions"])}
        tally.hold(
            "P8 reasons",
            all(f"[{each}]" in told for each in reasons),
            f"the story of {sid} leaves out a reason",
            sid,
        )


async def _figures(
    stage: Stage, settings: Settings, witness: Witness, tally: Tally, name: str | None
) -> None:
    query = "" if name is None else f"?campaign={name}"
    told = await stage.host.api("GET", f"/api/v1/analytics{query}")
    recount = await _recount(settings, witness, name)
    wrong = {key: (told.get(key), value) for key, value in recount.items() if told.get(key) != value}
    if recount["total_calls"]:
        tally.hold("P9 figures", not wrong, f"of {name or 'all'}: told and counted {wrong}")


async def _recount(settings: Settings, witness: Witness, name: str | None) -> dict[str, Any]:
    calls = [
        row[1:]
        for row in await witness.rows("SELECT campaign, caller, verdict, called_at FROM calls")
        if name in (None, row[0]) and row[2] in MISSED_CALLS
    ]
    callbacks = [
        row[1:]
        for row in await witness.rows(
            "SELECT campaign, outcome FROM actions WHERE kind = 'callback' AND placed_at IS NOT NULL"
        )
        if name in (None, row[0])
    ]
    leads = [row for row in await witness.rows("SELECT campaign FROM leads") if name in (None, row[0])]
    zone = ZoneInfo(settings.timezone)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    hours = Counter((epoch + timedelta(microseconds=at)).astimezone(zone).hour for _, _, at in calls)
    outcomes = [outcome for (outcome,) in callbacks if outcome is not None]
    answered = outcomes.count("answered")
    return {
        "total_calls": len(calls),
        "unique_callers": len({caller for caller, _, _ in calls if caller is not None}),
        "callbacks_made": len(callbacks),
        "callbacks_answered": answered,
        "callback_success_rate": answered / len(outcomes) if outcomes else None,
        "leads": len(leads),
        "peak_hours": [{"hour": hour, "calls": hours[hour]} for hour in range(24)],
    }
