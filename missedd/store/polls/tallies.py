"""How the polls stand: a few rows each, however many votes there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from missedd.base.clock import from_us, to_us
from missedd.core.policy import PollPolicy
from missedd.core.polls.tally import Tally
from missedd.store.db.database import Rows
from missedd.store.polls.votes import COLUMN_OF


async def tally(db: Rows, poll: str) -> Tally | None:
    """How a poll stands, under the rules by which it was counted; None if it has never been there."""
    rows = await db.fetch_all("SELECT rules FROM poll_rules WHERE poll = ?", (poll,))
    if not rows:
        return None
    counts = await db.fetch_all(f"{COUNTS} WHERE poll = ?", (poll,))
    return tally_of(poll, rows[0][0], counts)


async def polls(db: Rows) -> list[str]:
    """Every poll that there is or was, by name."""
    return [name for (name,) in await db.fetch_all("SELECT poll FROM poll_rules ORDER BY poll")]


COUNTS = f"SELECT option, {', '.join(COLUMN_OF.values())} FROM tallies"  # noqa: S608 - constant


def tally_of(poll: str, rules: str, rows: Sequence[Sequence[Any]]) -> Tally:
    """A tally, of the row of its rules and of the rows of `COUNTS`."""
    return Tally(
        rules_of(poll, rules),
        {
            (option, standing): count
            for option, *counts in rows
            for standing, count in zip(COLUMN_OF, counts, strict=True)
        },
    )


def rules_text(rules: PollPolicy) -> str:
    """The rules as they are kept, to be compared and to be read again."""
    kept: dict[str, Any] = {
        "votes_per_number": rules.votes_per_number,
        "keep": rules.keep,
        "opens_at": None if rules.opens_at is None else to_us(rules.opens_at),
        "closes_at": None if rules.closes_at is None else to_us(rules.closes_at),
    }
    if rules.countries is not None:
        kept["countries"] = sorted(rules.countries)
    return json.dumps(kept, separators=(",", ":"))


def rules_of(poll: str, text: str) -> PollPolicy:
    kept = json.loads(text)
    opens_us, closes_us = kept["opens_at"], kept["closes_at"]
    return PollPolicy(
        poll,
        kept["votes_per_number"],
        kept["keep"],
        None if opens_us is None else from_us(opens_us),
        None if closes_us is None else from_us(closes_us),
        frozenset(kept["countries"]) if "countries" in kept else None,
    )
