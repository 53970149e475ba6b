"""Keeping what is told of an action beside how it ended: one JSON object, grown as news comes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from missedd.core.actions.details import merge_details
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database

encode_details: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
"""An action's details, as they are kept: a text in Hindi takes three bytes a letter, not six."""

"""An expression for an action's details once its number is erased."""


async def record_details(db: Database, action: ActionRow, reported: Mapping[str, str]) -> None:
    """Keep what a report, a look-up or a sending tells of an action, where that is news."""
    known = merge_details(action.details, reported)
    if known != action.details:
        await db.execute("UPDATE actions SET details = ? WHERE id = ?", (encode_details(known), action.id))
