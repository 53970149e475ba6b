"""Tallies of polls: a few rows each, however many votes there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from missedd.base.clock import from_us, to_us
from missedd.core.policy import PollPolicy
from missedd.core.polls.tally import Tally
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.polls.votes import COLUMN_OF_STATUS


async def tally(db: ReadOnlyDatabase, poll: str) -> Tally | None:
    """The tally of a poll and the rules by which it was counted; None if there never was such a poll."""
    rows = await db.fetch_all("SELECT rules FROM poll_rules WHERE poll = ?", (poll,))
    if not rows:
        return None
    counts = await db.fetch_all(SELECT_COUNTS, (poll,))
    return parse_tally(poll, rows[0][0], counts)


async def polls(db: ReadOnlyDatabase) -> list[str]:
    """The names of all polls, past ones included."""
    return [name for (name,) in await db.fetch_all("SELECT poll FROM poll_rules ORDER BY poll")]


SELECT_COUNTS = f"""
SELECT option, {", ".join(f"sum({name})" for name in COLUMN_OF_STATUS.values())} FROM tallies
WHERE poll = ? GROUP BY option ORDER BY option"""  # noqa: S608 - constant
"""The tally of a poll: for each option the sums over its places, in the order of `COLUMN_OF_STATUS`."""


def parse_tally(poll: str, rules: str, rows: Sequence[Sequence[Any]]) -> Tally:
    """A tally from its rules as JSON and from rows of `SELECT_COUNTS`."""
    return Tally(
        rules_from_json(poll, rules),
        {
            (option, status): count
            for option, *counts in rows
            for status, count in zip(COLUMN_OF_STATUS, counts, strict=True)
        },
    )


def rules_to_json(rules: PollPolicy) -> str:
    """The rules as JSON, to be stored and compared; instants in microseconds since 1970 UTC."""
    values: dict[str, Any] = {
        "votes_per_number": rules.votes_per_number,
        "keep": rules.keep,
        "opens_at": None if rules.opens_at is None else to_us(rules.opens_at),
        "closes_at": None if rules.closes_at is None else to_us(rules.closes_at),
    }
    if rules.countries is not None:
        values["countries"] = sorted(rules.countries)
    return json.dumps(values, separators=(",", ":"))


def rules_from_json(poll: str, rules_json: str) -> PollPolicy:
    """The rules that `rules_to_json` wrote."""
    values = json.loads(rules_json)
    opens_us, closes_us = values["opens_at"], values["closes_at"]
    return PollPolicy(
        poll,
        values["votes_per_number"],
        values["keep"],
        None if opens_us is None else from_us(opens_us),
        None if closes_us is None else from_us(closes_us),
        frozenset(values["countries"]) if "countries" in values else None,
    )
