"""Agent rotation: the agent of an attempt is stored with it, so the rotation continues after a restart."""

from __future__ import annotations

from typing import Final

from missedd.core.model import Kind
from missedd.core.policy import Policy
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database

_ATTEMPT_DETAILS: Final = ("agent", "first", "caller_id")


async def prepare_attempt_details(
    db: Database, action: ActionRow, policy: Policy, agent: str | None
) -> dict[str, str]:
    """The action's details for its next attempt: the agent, who is called first, and the caller id.

    The details of an earlier attempt are dropped, as the configuration may have changed since.
    """
    details = {name: text for name, text in action.details.items() if name not in _ATTEMPT_DETAILS}
    campaign = policy.campaign(action.campaign)
    callback = campaign.callback if campaign else None
    if action.kind is not Kind.CALLBACK or callback is None:
        return details
    if callback.caller_id is not None and callback.caller_id != action.exophone:
        details["caller_id"] = callback.caller_id
    if agent is None:
        return details
    await db.execute(
        """INSERT INTO agent_turns (campaign, agent) VALUES (?, ?)
           ON CONFLICT (campaign) DO UPDATE SET agent = excluded.agent""",
        (action.campaign, agent),
    )
    return details | {"agent": agent, "first": callback.first}
