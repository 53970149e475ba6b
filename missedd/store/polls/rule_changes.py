"""Polls whose rules have changed: judge every vote again and count the tally anew.

This runs in one transaction, before the first call is admitted. So nobody ever sees a tally that was counted
half by one set of rules and half by another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from missedd.base.clock import from_us
from missedd.core.policy import Policy, PollPolicy
from missedd.core.polls.voting_rules import Vote, VoteStatus, is_country_excluded, vote_statuses
from missedd.store.db.database import Database
from missedd.store.polls.tallies import rules_to_json
from missedd.store.polls.votes import TallyKey, change_vote_status, update_tallies

_PIECE: Final = 20_000
"""Rows fetched at a time: a million rows at once would take hundreds of megabytes."""


@dataclass(frozen=True, slots=True)
class RuleChangeResult:
    poll: str
    votes: int
    changed: int
    """Votes whose status has changed."""
    total: int
    """Votes that count now."""


async def recount_changed_polls(db: Database, policy: Policy) -> list[RuleChangeResult]:
    """Recount the polls whose rules differ from those by which they were counted; returns one result each."""
    known: dict[str, str] = dict(await db.fetch_all("SELECT poll, rules FROM poll_rules"))
    recounted = []
    for rules in policy.polls:
        text = rules_to_json(rules)
        if known.get(rules.name) == text:
            continue
        if rules.name not in known:
            await _import_recorded_votes(db, rules.name)
        recounted.append(await _recount(db, rules))
        await db.execute(
            """INSERT INTO poll_rules (poll, rules) VALUES (?, ?)
               ON CONFLICT (poll) DO UPDATE SET rules = excluded.rules""",
            (rules.name, text),
        )
    return recounted


async def _import_recorded_votes(db: Database, poll: str) -> None:
    """Insert votes for the vote actions that were recorded before the poll existed."""
    # The recursion walks the index from campaign to campaign: reading every action could take long.
    await db.execute(
        """WITH RECURSIVE names (name) AS (
               SELECT min(campaign) FROM actions
               UNION ALL
               SELECT (SELECT min(campaign) FROM actions WHERE campaign > name) FROM names
               WHERE name IS NOT NULL)
           INSERT INTO votes (poll, number, standing, called_at, call_sid, option)
           SELECT ?, a.number, ?, c.called_at, c.call_sid, a.details ->> '$.option'
           FROM names CROSS JOIN actions a JOIN calls c ON c.id = a.call_id
           WHERE a.campaign = name AND a.kind = 'vote' AND a.details ->> '$.poll' = ?""",
        (poll, VoteStatus.SURPLUS, poll),
    )


async def _recount(db: Database, rules: PollPolicy) -> RuleChangeResult:
    counts: Counter[TallyKey] = Counter()
    votes = changed = 0
    after = ""
    while rows := await _voters_after(db, rules.name, after):
        changes = []
        for number, voter_rows in groupby(rows, itemgetter(0)):
            old = {Vote(from_us(at_us), sid, option): status for _, at_us, sid, option, status in voter_rows}
            is_foreign = is_country_excluded(rules, number, old.values())
            for vote, status in vote_statuses(old, rules, is_foreign=is_foreign).items():
                counts[rules.name, vote.option, status] += 1
                if old[vote] != status:
                    changes.append(((rules.name, number), vote, status, VoteStatus(old[vote])))
        await change_vote_status(db, changes)
        votes, changed, after = votes + len(rows), changed + len(changes), rows[-1][0]
    await db.execute("DELETE FROM tallies WHERE poll = ?", (rules.name,))
    await update_tallies(db, counts)
    total = sum(count for (_, _, status), count in counts.items() if status is VoteStatus.COUNTED)
    return RuleChangeResult(rules.name, votes, changed, total)


async def _voters_after(db: Database, poll: str, number: str) -> list[tuple[Any, ...]]:
    """The rows of the next voters, each voter with all votes."""
    rows = await db.fetch_all(
        f"{_VOTES} WHERE poll = ? AND number > ? ORDER BY number LIMIT ?", (poll, number, _PIECE)
    )
    if len(rows) < _PIECE:
        return rows
    last = rows[-1][0]
    rows_of_last = await db.fetch_all(f"{_VOTES} WHERE poll = ? AND number = ?", (poll, last))
    return [row for row in rows if row[0] != last] + rows_of_last


_VOTES: Final = "SELECT number, called_at, call_sid, option, standing FROM votes"
