"""Votes on disk: what a batch of calls changes in the polls, inside the transaction that admits it.

Only counted votes are read, at most `votes_per_number` of a voter. A displaced vote changes its status, and
the tally changes by differences. So a poll costs the same however many votes it has.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import ClassVar, Final, NamedTuple, Self

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
"""What a tally counts by: poll, option, status."""

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

    kinds: ClassVar = frozenset({Kind.VOTE})

    policy: Policy
    counted: dict[Voter, tuple[Vote, ...]] = field(default_factory=dict)
    new_votes: dict[str, _StoredVote] = field(default_factory=dict)
    """The batch's own votes, by CallSid."""
    displaced: dict[str, _StoredVote] = field(default_factory=dict)
    """Votes of earlier batches that counted, with the status that they have now."""

    @classmethod
    async def load(
        cls, db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
    ) -> Self:
        """Read the counted votes of everybody who may vote by these calls."""
        batch = cls(policy)
        if not policy.polls:
            return batch
        voters = {
            (campaign.vote.poll, call.caller)
            for call in calls
            if call.caller is not None and call.not_missed is None
            for campaign, _ in (policy.campaign_of_call(call),)
            if campaign is not None and campaign.vote is not None
        }
        if not voters:
            return batch
        rows = await db.fetch_all(_COUNTED, (json.dumps(sorted(voters)),))
        for voter, votes in groupby(rows, itemgetter(0, 1)):
            batch.counted[voter] = tuple(
                Vote(from_us(at_us), sid, option) for _, _, at_us, sid, option in votes
            )
        return batch

    def record(self, admission: Admission, call: InboundCall, call_id: int) -> Admission:
        """Apply the call's vote to its poll; the result is the reason of the vote's action.

        The campaign's SMS confirms the vote, so a vote that does not count gets no SMS.
        """
        for index, planned in enumerate(admission.actions):
            if planned.kind is Kind.VOTE:
                recorded, status = self._apply(planned, admission, call)
                actions = list(admission.actions)
                actions[index] = recorded
                if status is not VoteStatus.COUNTED:
                    actions = [
                        _without_confirmation(action) if action.kind is Kind.SMS else action
                        for action in actions
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

    def _apply(
        self, planned: PlannedAction, admission: Admission, call: InboundCall
    ) -> tuple[PlannedAction, VoteStatus]:
        rules = self.policy.poll(planned.details["poll"])
        if rules is None or call.caller is None:
            raise AssertionError("a vote has a caller's number and a poll of the configuration")
        voter = (rules.name, call.caller)
        vote = Vote(admission.called_at, call.call_sid, planned.details["option"])
        is_foreign = is_country_excluded(rules, call.caller)
        result = apply_vote(self.counted.get(voter, ()), vote, rules, is_foreign=is_foreign)
        self.counted[voter] = result.counted
        self.new_votes[vote.call_sid] = _StoredVote(voter, vote, result.status)
        if result.displaced is not None and result.displaced_status is not None:
            displaced = _StoredVote(voter, result.displaced, result.displaced_status)
            owner = self.new_votes if displaced.vote.call_sid in self.new_votes else self.displaced
            owner[displaced.vote.call_sid] = displaced
        # Built field by field: `replace` takes several times as long, and votes come by the thousand.
        recorded = PlannedAction(
            planned.kind,
            planned.state,
            planned.base_at,
            planned.due_at,
            planned.expires_at,
            result.reason,
            Outcome.REFUSED if result.status in REFUSED_STATUSES else Outcome.RECORDED,
            details=planned.details,
        )
        return recorded, result.status

    async def save(self, db: Database) -> None:
        """Write what has changed."""
        if not self.new_votes:
            return
        await db.executemany(
            _INSERT,
            [
                (*voter, status, to_us(vote.called_at), vote.call_sid, vote.option)
                for voter, vote, status in self.new_votes.values()
            ],
        )
        await change_vote_status(db, [(*stored, VoteStatus.COUNTED) for stored in self.displaced.values()])
        changes: Counter[TallyKey] = Counter()
        for (poll, _), vote, status in self.new_votes.values():
            changes[poll, vote.option, status] += 1
        for (poll, _), vote, status in self.displaced.values():
            changes[poll, vote.option, status] += 1
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
    """Change the status of votes, given as (voter, vote, new status, old status), but not the tallies."""
    await db.executemany(
        """UPDATE votes SET standing = ?
           WHERE poll = ? AND number = ? AND standing = ? AND called_at = ? AND call_sid = ?""",
        [(new, *voter, old, to_us(vote.called_at), vote.call_sid) for voter, vote, new, old in changes],
    )


async def update_tallies(db: Database, changes: Mapping[TallyKey, int]) -> None:
    """Add differences to the tallies; a difference of 0 still adds an option to its tally."""
    by_option: defaultdict[tuple[str, str], dict[VoteStatus, int]] = defaultdict(dict)
    for (poll, option, status), difference in changes.items():
        by_option[poll, option][status] = difference
    await db.executemany(
        _CHANGE,
        [
            (*key, *(differences.get(status, 0) for status in COLUMN_OF_STATUS))
            # In one order, so that writers that have the same place never wait in a circle.
            for key, differences in sorted(by_option.items())
        ],
    )


_CHANGE = f"""
INSERT INTO tallies (poll, option, {", ".join(COLUMN_OF_STATUS.values())})
VALUES (?, ?{", ?" * len(COLUMN_OF_STATUS)})
ON CONFLICT (poll, option, place) DO UPDATE SET
{", ".join(f"{name} = tallies.{name} + excluded.{name}" for name in COLUMN_OF_STATUS.values())}"""  # noqa: S608 - constant


_COUNTED = """
SELECT v.poll, v.number, v.called_at, v.call_sid, v.option
FROM json_each(?) voter CROSS JOIN votes v
WHERE v.poll = voter.value ->> 0 AND v.number = voter.value ->> 1 AND v.standing = 'counted'
ORDER BY v.poll, v.number, v.called_at, v.call_sid"""
