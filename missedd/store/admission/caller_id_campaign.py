"""Attribute a call to a shared caller id to the campaign that last called this person from that number.

`[campaign.callback] caller_id` may name an ExoPhone that belongs to no campaign, or to another one. A person
who calls that number back means the campaign that had called.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from missedd.core.model import InboundCall
from missedd.core.policy import Policy
from missedd.store.db.database import Database


async def attribute_returned_calls(
    db: Database, calls: Sequence[InboundCall], policy: Policy
) -> Sequence[InboundCall]:
    """Return the calls; those to a `caller_id` now name the campaign that had called from it.

    Nothing is read if no campaign has a `caller_id`.
    """
    if not policy.caller_ids:
        return calls
    callers = {
        call.caller
        for call in calls
        if call.caller is not None and not policy.caller_ids.isdisjoint(call.dialled)
    }
    if not callers:
        return calls
    rows = await db.fetch_all(
        """SELECT number, coalesce(details ->> '$.caller_id', exophone), campaign FROM actions
           WHERE number IN (SELECT value FROM json_each(?)) AND kind = 'callback' AND placed_at IS NOT NULL
           ORDER BY placed_at, id""",
        (json.dumps(sorted(callers)),),
    )
    # Later rows replace earlier ones, so the latest callback decides.
    campaigns = {(number, caller_id): campaign for number, caller_id, campaign in rows}
    return [_attribute(call, campaigns, policy) for call in calls]


def _attribute(call: InboundCall, campaigns: dict[tuple[str, str], str], policy: Policy) -> InboundCall:
    for number in call.dialled:
        name = campaigns.get((call.caller or "", number)) if number in policy.caller_ids else None
        if name is not None and policy.campaign(name) is not None:
            return replace(call, called_back_by=(name, number))
    return call
