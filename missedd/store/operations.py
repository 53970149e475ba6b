"""What an operator may change by hand."""

from __future__ import annotations

from datetime import datetime

from missedd.clock import to_us
from missedd.core.lifecycle import Step, step
from missedd.core.model import Kind, Lane, Outcome, State
from missedd.core.reasons import Reason
from missedd.core.settlement import Settlement, settlement
from missedd.store.claims import close
from missedd.store.database import Database
from missedd.store.leads import action_ended
from missedd.store.rows import Wake, fetch_actions, next_id


async def resend(db: Database, action_id: int, now: datetime) -> Wake | None:
    """Plan a parked webhook again, as an action that names its origin; None if there is nothing to resend.

    The message keeps the id of its first sending, so an application that did get it knows it again.
    """
    found = await fetch_actions(db, [action_id])
    if (
        not found
        or found[0].kind is not Kind.WEBHOOK
        or found[0].outcome
        not in (
            Outcome.FAILED,
            Outcome.REFUSED,
        )
    ):
        return None
    new_id = await next_id(db, "actions")
    now_us = to_us(now)
    await db.execute(
        """INSERT INTO actions (id, call_id, kind, campaign, number, exophone, state, reason, plan, origin_id,
                                base_at, due_at, wake_at, created_at, details)
           SELECT ?, call_id, kind, campaign, number, exophone, ?, ?, plan, coalesce(origin_id, id),
                  base_at, ?, ?, ?, details FROM actions WHERE id = ?""",
        (new_id, State.PLANNED, Reason.RESENT, now_us, now_us, now_us, action_id),
    )
    return Wake(now_us, new_id, Lane.WEBHOOK)


async def settle(
    db: Database, action_id: int, wanted: Outcome, note: str | None, now: datetime
) -> Settlement:
    """Keep what an operator says became of an action whose outcome is unknown; nothing else changes.

    One that is still looked for ends as `unknown` first: what the daemon knew stays on record.
    """
    found = await fetch_actions(db, [action_id])
    if not found:
        return Settlement.NO_SUCH_ACTION
    action = found[0]
    ((settled,),) = await db.fetch_all("SELECT settled_outcome FROM actions WHERE id = ?", (action_id,))
    # The last attempt's result is set once its answer is known to be lost; in flight it is empty.
    attempts = await db.fetch_all(
        "SELECT result FROM attempts WHERE action_id = ? ORDER BY number DESC LIMIT 1", (action_id,)
    )
    verdict = settlement(
        action.kind,
        action.state,
        action.outcome,
        None if settled is None else Outcome(settled),
        wanted,
        is_lost=attempts == [("unknown",)],
    )
    if verdict is not Settlement.SETTLED:
        return verdict
    if action.state is not State.DONE:
        step(action.state, Step.GIVE_UP)
        await close(db, action_id, Outcome.UNKNOWN, Reason.SETTLED_BY_OPERATOR, now)
    await db.execute(
        "UPDATE actions SET settled_outcome = ?, settled_at = ?, settled_note = ? WHERE id = ?",
        (wanted, to_us(now), note, action_id),
    )
    await action_ended(db, action.kind, action.campaign, action.number, wanted, now)
    return verdict
