"""Keeping what is told of an action beside how it ended: one JSON object, grown as news comes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from missedd.core.action_facts import FACTS, completed
from missedd.store.database import Database
from missedd.store.rows import ActionRow

spell: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
"""An action's details, as they are kept: a text in Hindi takes three bytes a letter, not six."""

WITHOUT_FACTS: Final = (
    f"json_remove(details, {', '.join(f"'$.{each.name}'" for each in FACTS if each.is_personal)})"
)
"""An expression for an action's details once its number is erased."""


async def keep_facts(db: Database, action: ActionRow, told: Mapping[str, str]) -> None:
    """Keep what a report, a look-up or a sending tells of an action, where that is news."""
    known = completed(action.details, told)
    if known != action.details:
        await db.execute("UPDATE actions SET details = ? WHERE id = ?", (spell(known), action.id))
