"""Pauses of campaigns: which are in force, how they begin and how they end.

An action that waits for the end of a pause is checked again at the latest when it expires. So a pause never
leaves an action without a timer. When the pause ends, or its end moves, the timer moves too.
"""

from __future__ import annotations

from datetime import datetime

from missedd.base.clock import from_us, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.pauses import Pause
from missedd.core.api_types.campaigns import InForceJson
from missedd.core.audit import Actor, Source
from missedd.core.model import Kind, State
from missedd.core.reasons import Reason
from missedd.store.actions.rows import Timer, lane_of
from missedd.store.db.database import Database, ReadOnlyDatabase


async def pauses_in_force(db: ReadOnlyDatabase, now: datetime) -> dict[str, Pause]:
    """The pauses in force at `now`, by campaign."""
    rows = await db.fetch_all(
        """SELECT campaign, since_at, until_at, why, source, peer FROM pauses
           WHERE ended_at IS NULL AND (until_at IS NULL OR until_at > ?) ORDER BY id""",
        (to_us(now),),
    )
    return {
        campaign: Pause(
            campaign,
            from_us(since_us),
            None if until_us is None else from_us(until_us),
            why,
            Actor(Source(source), peer),
        )
        for campaign, since_us, until_us, why, source, peer in rows
    }


async def pauses_json(db: ReadOnlyDatabase, now: datetime) -> dict[str, InForceJson]:
    """The pauses in force at `now`, by campaign, as the API shows them."""
    return {name: InForceJson.of(pause) for name, pause in (await pauses_in_force(db, now)).items()}


async def pause(db: Database, new_pause: Pause) -> list[Timer]:
    """Begin a pause in place of one that is in force; actions that waited for that one wait for this one.

    Returns the timers to set.
    """
    await _end(db, new_pause.campaign, new_pause.since)
    await db.execute(
        "INSERT INTO pauses (campaign, since_at, until_at, why, source, peer) VALUES (?, ?, ?, ?, ?, ?)",
        (
            new_pause.campaign,
            to_us(new_pause.since),
            None if new_pause.until is None else to_us(new_pause.until),
            new_pause.why,
            new_pause.by.source,
            new_pause.by.peer,
        ),
    )
    step(State.HELD, ActionEvent.HOLD)
    check_us = to_us(new_pause.next_check_at(None))
    return await _reschedule_waiting(db, new_pause.campaign, check_us, Reason.CAMPAIGN_PAUSED, State.HELD)


async def resume(db: Database, campaign: str, now: datetime) -> list[Timer] | None:
    """End a campaign's pause; returns the timers of the actions that waited, or None if not paused."""
    was_paused = campaign in await pauses_in_force(db, now)
    await _end(db, campaign, now)
    if not was_paused:
        return None
    step(State.HELD, ActionEvent.RELEASE)
    return await _reschedule_waiting(db, campaign, to_us(now), Reason.RESUMED, State.PLANNED)


async def _end(db: Database, campaign: str, now: datetime) -> None:
    """Mark every pause of the campaign as ended, also a pause whose `until_at` has passed."""
    await db.execute(
        """UPDATE pauses SET ended_at = min(?, coalesce(until_at, ?))
           WHERE campaign = ? AND ended_at IS NULL""",
        (to_us(now), to_us(now), campaign),
    )


async def _reschedule_waiting(
    db: Database, campaign: str, at_us: int, reason: Reason, new_state: State
) -> list[Timer]:
    """Let actions that wait for the end of a pause come to their gates at `at_us`, or when they expire."""
    # `state != 'done'` repeats the condition of the partial index of open actions, so it can be used.
    rows = await db.fetch_all(
        """UPDATE actions
           SET state = ?, reason = ?, wake_at = max(due_at, min(?, coalesce(expires_at + 1, ?)))
           WHERE state != 'done' AND state = 'held' AND reason = ? AND +campaign = ?
           RETURNING wake_at, id, kind""",
        (new_state, reason, at_us, at_us, Reason.CAMPAIGN_PAUSED, campaign),
    )
    return [Timer(wake_us, action_id, lane_of(Kind(kind), new_state)) for wake_us, action_id, kind in rows]
