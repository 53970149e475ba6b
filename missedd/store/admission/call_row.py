"""An accepted call as the application is told of it."""

from __future__ import annotations

from typing import Final

from missedd.core.api_types.webhooks import AcceptedCallJson
from missedd.store.db.columns import Columns
from missedd.store.db.database import Database

_CALL: Final = Columns(AcceptedCallJson, "c", from_="c.caller", to="c.exophone")


async def fetch_call(db: Database, call_id: int) -> AcceptedCallJson:
    """The call of an action; it always exists, as actions refer to their calls."""
    (row,) = await db.fetch_all(f"SELECT {_CALL.sql} FROM calls c WHERE c.id = ?", (call_id,))  # noqa: S608 - constants
    return _CALL.read(row)
