"""Whose a call is to a number that several may show: the campaign's that last rang the caller from it.

`[campaign.callback] caller_id` may name an ExoPhone that no campaign owns, or another's. Whoever rings back
what stood on their telephone means the campaign that had called.
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
    """The calls, those to a caller_id with the campaign that showed it; no reading where there is none."""
    if not policy.caller_ids:
        return calls
    meant = {
        call.caller
        for call in calls
        if call.caller is not None and not policy.caller_ids.isdisjoint(call.dialled)
    }
    if not meant:
        return calls
    rows = await db.fetch_all(
        """SELECT number, coalesce(details ->> '$.caller_id', exophone), campaign FROM actions
           WHERE number IN (SELECT value FROM json_each(?)) AND kind = 'callback' AND placed_at IS NOT NULL
           ORDER BY placed_at, id""",
        (json.dumps(sorted(meant)),),
    )
    shown_by = {(number, shown): campaign for number, shown, campaign in rows}
    return [_attribute(call, shown_by, policy) for call in calls]


def _attribute(call: InboundCall, shown_by: dict[tuple[str, str], str], policy: Policy) -> InboundCall:
    for number in call.dialled:
        name = shown_by.get((call.caller or "", number)) if number in policy.caller_ids else None
        if name is not None and policy.campaign(name) is not None:
            return replace(call, called_back_by=(name, number))
    return call
