"""What is refused until a person acts: SMS that every operator refuses, and an account that Exotel refuses.

Each has a small index of its own, so that it costs next to nothing to look at.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from missedd.clock import to_us
from missedd.core.model import Kind
from missedd.core.reasons import Reason, words_of
from missedd.store.attention import MOST_COUNTED
from missedd.store.reads_calls import Rows, iso

SMS_SINCE: Final = timedelta(hours=24)
ACCOUNT_SINCE: Final = timedelta(hours=1)
"""An account of which nothing was asked for so long may have been put right: nobody knows."""


async def refusals(db: Rows, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """`sms` by campaign and code, those of the last day; `account`, how Exotel refuses all of it just now."""
    return {"sms": await _sms(db, now), "account": await _account(db, now)}


async def _sms(db: Rows, now: datetime) -> list[dict[str, Any]]:
    """The latest, at most `MOST_COUNTED` and one of them."""
    rows = await db.fetch_all(
        """SELECT campaign, code FROM actions
           WHERE reason = 'sms-misconfigured' AND closed_at >= ? ORDER BY closed_at DESC LIMIT ?""",
        (to_us(now - SMS_SINCE), MOST_COUNTED + 1),
    )
    counts = Counter((campaign, code) for campaign, code in rows)
    return [
        {"campaign": campaign, "code": code, "count": n}
        for (campaign, code), n in sorted(counts.items(), key=str)
    ]


async def _account(db: Rows, now: datetime) -> list[dict[str, Any]]:
    """The latest refusal by each reason, unless something was taken since.

    One set of credentials serves everything; an account may be able to call and not to text.
    """
    found = []
    for reason, kinds in (
        (Reason.PROVIDER_AUTH, _KINDS),
        *((Reason.ACCOUNT_PROBLEM, (kind, kind)) for kind in _KINDS),
    ):
        for at_us, code, message in await db.fetch_all(_LATEST, (reason, to_us(now - ACCOUNT_SINCE), *kinds)):
            if not await db.fetch_all(_TAKEN_SINCE, (at_us, *kinds)):
                found.append(
                    {
                        "kinds": list(dict.fromkeys(kinds)),
                        "reason": reason,
                        "reason_words": words_of(reason),
                        "at": iso(at_us),
                        "code": code,
                        "message": message,
                    }
                )
    return found


_KINDS: Final = (Kind.CALLBACK, Kind.SMS)
# The first condition is the index's own, or it would not be used.
_LATEST: Final = """
SELECT t.started_at, t.code, t.message FROM attempts t JOIN actions a ON a.id = t.action_id
WHERE t.reason IN ('provider-auth', 'account-problem') AND t.reason = ? AND t.started_at >= ?
  AND a.kind IN (?, ?)
ORDER BY t.started_at DESC LIMIT 1"""
_TAKEN_SINCE: Final = """
SELECT 1 FROM attempts t JOIN actions a ON a.id = t.action_id
WHERE t.started_at > ? AND t.reason = 'provider-accepted' AND a.kind IN (?, ?) LIMIT 1"""
