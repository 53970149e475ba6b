"""The details of an action: one JSON object that grows with each report, lookup or request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from missedd.core.actions.details import merge_details
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database

encode_details: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
"""Encodes an action's details. `ensure_ascii=False`: a letter in Hindi takes three bytes and not six."""


async def record_details(db: Database, action: ActionRow, reported: Mapping[str, str]) -> None:
    """Merge what a report, a lookup or a request says of an action into its details, if it is new."""
    merged = merge_details(action.details, reported)
    if merged != action.details:
        await db.execute("UPDATE actions SET details = ? WHERE id = ?", (encode_details(merged), action.id))
