"""Votes on disk: what a batch of calls does to the polls, inside the transaction that admits it.

Only the votes that count are read, at most `votes_per_number` of a voter; a vote that is displaced
changes its standing, and the tally changes by differences. So a poll costs the same however many
votes it has.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from missedd.base.clock import from_us, to_us
from missedd.core.model import Admission, InboundCall, Kind, Outcome, PlannedAction, State
from missedd.core.policy import Policy
from missedd.core.polls.voting_rules import (
    REFUSED_STATUSES,
    Vote,
    VoteStatus,
    apply_vote,
    is_country_excluded,
)
from missedd.core.reasons import Reason
from missedd.store.db.database import Database

type Voter = tuple[str, str]
"""A poll and a number."""

type TallyKey = tuple[str, str, VoteStatus]
"""What a tally counts by: poll, option, standing."""

COLUMN_OF_STATUS: Final[Mapping[VoteStatus, str]] = {
    VoteStatus.COUNTED: "votes",
    VoteStatus.SURPLUS: "surplus",
    VoteStatus.REPLACED: "replaced",
    VoteStatus.EARLY: "early",
    VoteStatus.LATE: "late",
    VoteStatus.FOREIGN: "foreign_votes",
}


class _StoredVote(NamedTuple):
    voter: Voter
    vote: Vote
    status: VoteStatus


@dataclass(slots=True)
class VoteBatch:
    """The votes that a batch of calls may add or displace."""

    policy: Policy
    counted: dict[Voter, tuple[Vote, ...]] = field(default_factory=dict)
    new_votes: dict[str, _StoredVote] = field(default_factory=dict)
    """The batch's own votes, by CallSid."""
    displaced: dict[str, _StoredVote] = field(default_factory=dict)
    """Votes of earlier batches that counted, as they stand now."""

    def record(self, admission: Admission, call: InboundCall) -> Admission:
        """The admission, with what came of its vote as that action's reason.

        The campaign's SMS confirms the vote: of one that does not count there is none.
        """
        for index, planned in enumerate(admission.actions):
            if planned.kind is Kind.VOTE:
                recorded, standing = self._recorded(planned, admission, call)
                actions = list(admission.actions)
                actions[index] = recorded
                if standing is not VoteStatus.COUNTED:
                    actions = [
                        _without_confirmation(each) if each.kind is Kind.SMS else each for each in actions
                    ]
                return Admission(
                    admission.verdict,
                    admission.reason,
                    admission.campaign,
                    admission.exophone,
                    admission.called_at,
                    tuple(actions),
                )
        return admission

    def _recorded(
        self, planned: PlannedAction, admission: Admission, call: InboundCall
    ) -> tuple[PlannedAction, VoteStatus]:
        rules = self.policy.poll(planned.details["poll"])
        if rules is None or call.caller is None:
            raise AssertionError("a vote is a number's, in a poll of the configuration")
        voter = (rules.name, call.caller)
        vote = Vote(admission.called_at, call.call_sid, planned.details["option"])
        is_foreign = is_country_excluded(rules, call.caller)
        done = apply_vote(self.counted.get(voter, ()), vote, rules, is_foreign=is_foreign)
        self.counted[voter] = done.counted
        self.new_votes[vote.call_sid] = _StoredVote(voter, vote, done.status)
        if done.displaced is not None and done.displaced_status is not None:
            moved = _StoredVote(voter, done.displaced, done.displaced_status)
            known = self.new_votes if moved.vote.call_sid in self.new_votes else self.displaced
            known[moved.vote.call_sid] = moved
        # Made anew, as `replace` takes several times as long and votes come by the thousand.
        recorded = PlannedAction(
            planned.kind,
            planned.state,
            planned.base_at,
            planned.due_at,
            planned.expires_at,
            done.reason,
            Outcome.REFUSED if done.status in REFUSED_STATUSES else Outcome.RECORDED,
            details=planned.details,
        )
        return recorded, done.status

    async def save(self, db: Database) -> None:
        """Write what has changed."""
        if not self.new_votes:
            return
        await db.executemany(
            _INSERT,
            [
                (*voter, standing, to_us(vote.called_at), vote.call_sid, vote.option)
                for voter, vote, standing in self.new_votes.values()
            ],
        )
        await change_vote_status(db, [(*each, VoteStatus.COUNTED) for each in self.displaced.values()])
        changes: Counter[TallyKey] = Counter()
        for (poll, _), vote, standing in self.new_votes.values():
            changes[poll, vote.option, standing] += 1
        for (poll, _), vote, standing in self.displaced.values():
            changes[poll, vote.option, standing] += 1
            changes[poll, vote.option, VoteStatus.COUNTED] -= 1
        await update_tallies(db, changes)


def _without_confirmation(sms: PlannedAction) -> PlannedAction:
    if sms.state is State.DONE:
        return sms
    return replace(sms, state=State.DONE, outcome=Outcome.DROPPED, reason=Reason.VOTE_NOT_COUNTED)


_INSERT = "INSERT INTO votes (poll, number, standing, called_at, call_sid, option) VALUES (?, ?, ?, ?, ?, ?)"


async def change_vote_status(
    db: Database, changes: Iterable[tuple[Voter, Vote, VoteStatus, VoteStatus]]
) -> None:
    """Change the standing of votes, to and from; the tallies are not touched."""
    await db.executemany(
        """UPDATE votes SET standing = ?
           WHERE poll = ? AND number = ? AND standing = ? AND called_at = ? AND call_sid = ?""",
        [(to, *voter, since, to_us(vote.called_at), vote.call_sid) for voter, vote, to, since in changes],
    )


async def update_tallies(db: Database, changes: Mapping[TallyKey, int]) -> None:
    """Add differences to the tallies; those that come to nothing still make an option known."""
    by_option: defaultdict[tuple[str, str], dict[VoteStatus, int]] = defaultdict(dict)
    for (poll, option, standing), difference in changes.items():
        by_option[poll, option][standing] = difference
    await db.executemany(
        _CHANGE,
        [
            (*key, *(each.get(standing, 0) for standing in COLUMN_OF_STATUS))
            for key, each in by_option.items()
        ],
    )


_CHANGE = f"""
INSERT INTO tallies (poll, option, {", ".join(COLUMN_OF_STATUS.values())})
VALUES (?, ?{", ?" * len(COLUMN_OF_STATUS)})
ON CONFLICT (poll, option) DO UPDATE SET
{", ".join(f"{name} = {name} + excluded.{name}" for name in COLUMN_OF_STATUS.values())}"""  # noqa: S608 - constant


async def load_vote_batch(db: Database, calls: Sequence[InboundCall], policy: Policy) -> VoteBatch:
    """What counts so far of those who may vote by these calls; no reading where nobody does."""
    ballots = VoteBatch(policy)
    if not policy.polls:
        return ballots
    voters = {
        (campaign.vote.poll, call.caller)
        for call in calls
        if call.caller is not None and call.not_missed is None
        for campaign, _ in (policy.campaign_of_call(call),)
        if campaign is not None and campaign.vote is not None
    }
    if not voters:
        return ballots
    rows = await db.fetch_all(_COUNTED, (json.dumps(sorted(voters)),))
    for voter, found in groupby(rows, itemgetter(0, 1)):
        ballots.counted[voter] = tuple(
            Vote(from_us(at_us), sid, option) for _, _, at_us, sid, option in found
        )
    return ballots


_COUNTED = """
SELECT v.poll, v.number, v.called_at, v.call_sid, v.option
FROM json_each(?) voter CROSS JOIN votes v
WHERE v.poll = voter.value ->> 0 AND v.number = voter.value ->> 1 AND v.standing = 'counted'
ORDER BY v.poll, v.number, v.called_at, v.call_sid"""
