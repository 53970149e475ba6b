"""Polls under new rules: every vote is judged again, and the tally made anew.

Runs in one transaction, before calls are taken in, so nobody ever sees a tally that was counted half
by one set of rules and half by another.
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
"""Rows fetched at a time: a million at once would take hundreds of megabytes."""


@dataclass(frozen=True, slots=True)
class RuleChangeResult:
    poll: str
    votes: int
    changed: int
    """Votes that stand otherwise than before."""
    total: int
    """Votes that count now."""


async def recount_changed_polls(db: Database, policy: Policy) -> list[RuleChangeResult]:
    """Count the polls again whose rules are not those that they were counted by; which these were."""
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
    """Make votes of what was recorded before there were polls."""
    # From campaign to campaign along the index, as a look at every action could take a while.
    await db.execute(
        """WITH RECURSIVE names (name) AS (
               SELECT min(campaign) FROM actions
               UNION ALL
               SELECT (SELECT min(campaign) FROM actions WHERE campaign > name) FROM names
               WHERE name IS NOT NULL)
           INSERT INTO votes (poll, number, standing, called_at, call_sid, option)
           SELECT ?, a.number, ?, c.called_at, c.call_sid, a.details ->> '$.option'
           FROM names CROSS JOIN actions a ON a.campaign = name AND a.kind = 'vote'
           JOIN calls c ON c.id = a.call_id WHERE a.details ->> '$.poll' = ?""",
        (poll, VoteStatus.SURPLUS, poll),
    )


async def _recount(db: Database, rules: PollPolicy) -> RuleChangeResult:
    counts: Counter[TallyKey] = Counter()
    votes = changed = 0
    after = ""
    while rows := await _voters_after(db, rules.name, after):
        moves = []
        for number, found in groupby(rows, itemgetter(0)):
            since = {Vote(from_us(at_us), sid, option): kept for _, at_us, sid, option, kept in found}
            is_foreign = is_country_excluded(rules, number, since.values())
            for vote, standing in vote_statuses(since, rules, is_foreign=is_foreign).items():
                counts[rules.name, vote.option, standing] += 1
                if since[vote] != standing:
                    moves.append(((rules.name, number), vote, standing, VoteStatus(since[vote])))
        await change_vote_status(db, moves)
        votes, changed, after = votes + len(rows), changed + len(moves), rows[-1][0]
    await db.execute("DELETE FROM tallies WHERE poll = ?", (rules.name,))
    await update_tallies(db, counts)
    total = sum(count for (_, _, standing), count in counts.items() if standing is VoteStatus.COUNTED)
    return RuleChangeResult(rules.name, votes, changed, total)


async def _voters_after(db: Database, poll: str, number: str) -> list[tuple[Any, ...]]:
    """The next voters, each with all of their votes."""
    rows = await db.fetch_all(
        f"{_VOTES} WHERE poll = ? AND number > ? ORDER BY number LIMIT ?", (poll, number, _PIECE)
    )
    if len(rows) < _PIECE:
        return rows
    last = rows[-1][0]
    whole = await db.fetch_all(f"{_VOTES} WHERE poll = ? AND number = ?", (poll, last))
    return [row for row in rows if row[0] != last] + whole


_VOTES: Final = "SELECT number, called_at, call_sid, option, standing FROM votes"
