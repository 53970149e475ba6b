"""Mistakes that somebody might make, each a small patch, and the promise that must break by it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Any

import phonenumbers
import pytest
import trio

from missedd.base.clock import from_us, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.caller_history import KnownCall
from missedd.core.admission.decide import needs_new_decision
from missedd.core.admission.gates import judge
from missedd.core.admission.judgement import Candidate, Go, Judgement
from missedd.core.agent_rotation import Agent, rotation_order
from missedd.core.business_hours import DailyWindow
from missedd.core.model import Admission, InboundCall, Kind, State, Verdict
from missedd.core.people.suppression import Channel, Restriction
from missedd.core.people.verification import (
    VERIFICATION_TRANSITIONS,
    Verification,
    VerificationStatus,
    check_call,
)
from missedd.core.people.verification import VerificationEvent as Event
from missedd.core.policy import MessageClass, Policy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import AttemptDecision, interpret_answer
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.engine.timing.timers import Timers
from missedd.exotel.request_result import Answer, Refused, Unknown
from missedd.store.actions.conversations import LateAnswer
from missedd.store.actions.gate_facts import GateFacts
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions
from missedd.store.actions.timers import timers_between
from missedd.store.admission import caller_history
from missedd.store.db.database import Database, NotDurable, TransactionalDatabase, UnitOfWork
from missedd.store.db.group_commit import FaultHook, commit_group
from missedd.store.db.lock_keys import LockKeys
from missedd.store.people.suppressions import Suppressions
from missedd.store.people.verifications import VerificationBatch
from missedd.store.polls.votes import VoteBatch
from missedd.store.sqlite.migrate import _FILES

type Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class PlantedMistake:
    """`breaks` begins the names of the promises by which it may be noticed."""

    plant: Plant
    breaks: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.plant.__name__


def acknowledge_what_was_not_committed(patch: pytest.MonkeyPatch) -> None:
    async def careless(
        db: TransactionalDatabase, units: Sequence[UnitOfWork[Any]], fault: FaultHook, locks: LockKeys
    ) -> list[Any]:
        try:
            return await commit_group(db, units, fault, locks)
        except NotDurable:
            await db.execute("BEGIN")
            try:
                return [await unit(db) for unit in units]
            finally:
                await db.execute("ROLLBACK")

    patch.setattr("missedd.store.sqlite.inline_driver.commit_group", careless)


def redial_an_unknown(patch: pytest.MonkeyPatch) -> None:
    def hasty(answer: Answer, kind: Kind, attempt: int, now: datetime, rng: Random) -> AttemptDecision:
        if isinstance(answer, Unknown) and kind is not Kind.WEBHOOK:
            answer = Refused(True, answer.code, Reason.CONNECTION_FAILED)
        return interpret_answer(answer, kind, attempt, now, rng)

    patch.setattr("missedd.engine.dispatch.dispatcher.interpret_answer", hasty)


def redial_what_a_crash_cut_off(patch: pytest.MonkeyPatch) -> None:
    async def rescue(db: Database, now: datetime) -> int:
        await db.execute(
            """UPDATE actions SET state = 'planned', wake_at = ?, due_at = ?
               WHERE state = 'attempting' AND wake_at IS NULL""",
            (to_us(now), to_us(now)),
        )
        return 0

    patch.setattr("missedd.engine.leader.recovery.recover_in_flight", rescue)


def forget_the_cap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.is_under_cap", lambda others, at, limit: True)


def count_the_cap_by_calendar_hours(patch: pytest.MonkeyPatch) -> None:
    def fits(others: Iterable[datetime], at: datetime, limit: int) -> bool:
        hour = at.replace(minute=0, second=0, microsecond=0)
        return sum(hour <= each < hour + timedelta(hours=1) for each in others) < limit

    patch.setattr("missedd.core.admission.gates.is_under_cap", fits)


def skip_the_gates_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    starts = 0

    def lenient(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
        return Go() if starts > 1 else judge(candidate, policy, at)

    rescue = patch_target("missedd.engine.leader.recovery", "recover_in_flight")

    async def counted(db: Database, now: datetime) -> int:
        nonlocal starts
        starts += 1
        found: int = await rescue(db, now)
        return found

    patch.setattr("missedd.engine.leader.recovery.recover_in_flight", counted)
    patch.setattr("missedd.store.actions.claims.judge", lenient)


def forget_suppression_at_send_time(patch: pytest.MonkeyPatch) -> None:
    def deaf(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
        return judge(replace(candidate, is_suppressed=False, restrictions=()), policy, at)

    patch.setattr("missedd.store.actions.claims.judge", deaf)


def call_back_whatever_country(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.may_contact", lambda countries, number, exophone: True)


def take_the_calling_code_for_the_country(patch: pytest.MonkeyPatch) -> None:
    def of_code(number: str) -> str:
        return phonenumbers.region_code_for_country_code(phonenumbers.parse(number).country_code or 0)

    patch.setattr("missedd.core.contact_countries.region_of", of_code)


def take_a_refused_promotion_for_all_sms(patch: pytest.MonkeyPatch) -> None:
    def deaf(
        bars: Sequence[Restriction], message_class: MessageClass, sender: str, *, confirms_opt_out: bool
    ) -> Reason | None:
        return Reason.REFUSES_SMS if any(each.channel is Channel.SMS for each in bars) else None

    patch.setattr("missedd.core.admission.gates.sms_block_reason", deaf)


def text_a_refused_number_of_any_class(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.sms_block_reason", lambda *_, confirms_opt_out: None)


def sleep_through_the_quiet_hours(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DailyWindow, "next_opening", lambda self, instant, timezone: instant)


def count_the_window_from_the_last_repeat(patch: pytest.MonkeyPatch) -> None:
    honest = caller_history.load_caller_histories

    async def postponed(db: Database, calls: Any, *rest: Any) -> Any:
        histories = await honest(db, calls, *rest)
        callers = json.dumps(sorted({call.caller for call in calls if call.caller}))
        for caller, campaign, at in await db.fetch_all(
            """SELECT caller, campaign, called_at FROM calls
               WHERE verdict = 'duplicate' AND caller IN (SELECT value FROM json_each(?))""",
            (callers,),
        ):
            histories[caller].accepted.append((campaign, from_us(at)))
        return histories

    patch.setattr(caller_history, "load_caller_histories", postponed)


def let_a_late_report_overwrite(patch: pytest.MonkeyPatch) -> None:
    def lax(state: State, event: ActionEvent) -> State | None:
        return State.DONE if event is ActionEvent.REPORT else step(state, event)

    patch.setattr("missedd.store.actions.status_reports.step", lax)


def fire_twice_and_claim_twice(patch: pytest.MonkeyPatch) -> None:
    """Timers fire twice after the clock was set, and a claim no longer looks at the state."""
    fired: dict[Timer, None] = {}  # in order, each once, however often it is fired again
    ahead_s: dict[Timers, float] = {}
    fire = Timers._move_due

    def again(self: Timers, now_us: int) -> None:
        before_s, ahead_s[self] = ahead_s.get(self), now_us / 1e6 - trio.current_time()
        if before_s is not None and abs(ahead_s[self] - before_s) > 100:
            self.add(fired)
        fired.update((each, None) for each in self._heap if each.at_us <= now_us)
        fire(self, now_us)

    async def forgetful(db: Database, ids: Sequence[int]) -> list[ActionRow]:
        return [
            replace(each, state=State.PLANNED) if each.state in (State.ATTEMPTING, State.PLACED) else each
            for each in await fetch_actions(db, ids)
        ]

    patch.setattr(Timers, "_move_due", again)
    patch.setattr("missedd.store.actions.claims.fetch_actions", forgetful)


def ignore_the_budget(patch: pytest.MonkeyPatch) -> None:
    async def at_once(self: RateLimiter) -> float:
        return 0.0

    patch.setattr(RateLimiter, "acquire", at_once)


def lose_timers_beyond_the_horizon(patch: pytest.MonkeyPatch) -> None:
    async def only_the_first(db: Database, after_us: int, until_us: int) -> list[Timer]:
        return await timers_between(db, after_us, until_us) if after_us < 0 else []

    patch.setattr("missedd.engine.leader.build.timers_between", only_the_first)


def leave_suppressed_callers_out_of_the_figures(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.analytics.figures.COUNTED_VERDICTS", ("accepted", "duplicate"))


def hear_late_words_as_the_latest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.people.consent.insort", lambda wishes, wish, key: wishes.append(wish))


def let_more_than_the_confirmation_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Suppressions, "blocks_action", lambda self, number, kind, call_id: self.is_suppressed(number)
    )


def hand_over_what_is_being_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.store.admission.sms_applet.step", lambda state, event: State.DONE)


def sum_up_and_forget_what_changes(patch: pytest.MonkeyPatch) -> None:
    forgetful = [
        (name, re.sub(r"VALUES \('(\w+)', (\w+)\.id, -1\)", r"VALUES ('\1', 0, 0)", text))
        for name, text in _FILES
    ]
    patch.setattr("missedd.store.sqlite.migrate._FILES", forgetful)


def forget_the_pause_at_send_time(patch: pytest.MonkeyPatch) -> None:
    def tireless(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
        return judge(replace(candidate, pause=None), policy, at)

    patch.setattr("missedd.store.actions.claims.judge", tireless)


def prove_with_one_call_what_another_proved(patch: pytest.MonkeyPatch) -> None:
    """A closed verification answers for each further call."""
    patch.setattr(
        "missedd.store.people.verifications.check_call",
        lambda latest, called_at: Reason.NO_VERIFICATION_PENDING if latest is None else Reason.VERIFIED,
    )
    patch.setattr(
        "missedd.store.people.verifications.VERIFICATION_TRANSITIONS",
        {
            (status, event): VERIFICATION_TRANSITIONS[VerificationStatus.PENDING, event]
            for status in VerificationStatus
            for event in Event
        },
    )


def revive_an_expired_verification(patch: pytest.MonkeyPatch) -> None:
    def lenient(latest: Verification | None, called_at: datetime) -> Reason:
        told = latest is not None and latest.status is VerificationStatus.EXPIRED
        return check_call(
            replace(latest, status=VerificationStatus.PENDING) if latest and told else latest, called_at
        )

    def prove(self: VerificationBatch, verification: Verification, call_id: int) -> None:
        honest(self, replace(verification, status=VerificationStatus.PENDING), call_id)

    honest = VerificationBatch._mark_verified
    patch.setattr("missedd.store.people.verifications.check_call", lenient)
    patch.setattr(VerificationBatch, "_mark_verified", prove)


def count_votes_as_they_arrive(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.polls.voting_rules.insort", lambda votes, vote: votes.append(vote))


def close_the_poll_for_late_deliveries(patch: pytest.MonkeyPatch) -> None:
    honest = VoteBatch.record

    def by_receipt(self: VoteBatch, admission: Admission, call: InboundCall, call_id: int) -> Admission:
        here = read_at[-1]
        late = replace(admission, called_at=max(admission.called_at, here - timedelta(minutes=1)))
        return replace(honest(self, late, call, call_id), called_at=admission.called_at)

    read_at: list[datetime] = []
    patch.setattr(VoteBatch, "record", by_receipt)
    history = caller_history.load_caller_histories

    async def noting(db: Database, calls: Any, policy: Policy, received_at: datetime) -> Any:
        read_at.append(received_at)
        return await history(db, calls, policy, received_at)

    patch.setattr(caller_history, "load_caller_histories", noting)


def forget_whom_it_spoke_with(patch: pytest.MonkeyPatch) -> None:
    async def never(db: Database, action: ActionRow) -> bool:
        return False

    async def nobody(*_: object) -> tuple[ActionRow, ...]:
        return ()

    patch.setattr("missedd.store.actions.claims.has_spoken_since_call", never)
    patch.setattr("missedd.store.actions.next_callback.has_spoken_since_call", never)
    patch.setattr("missedd.store.actions.status_reports.record_conversation", nobody)
    patch.setattr("missedd.store.admission.admit.record_conversation", nobody)


def overwrite_a_conversation(patch: pytest.MonkeyPatch) -> None:
    """A Passthru that is delivered late is decided as if nothing had been said of the call."""

    def careless(call: InboundCall, seen: KnownCall) -> bool:
        return needs_new_decision(call, seen) or (
            seen.verdict is Verdict.NOT_MISSED and call.not_missed is None
        )

    patch.setattr("missedd.core.admission.decide.needs_new_decision", careless)


def wave_a_proof_through(patch: pytest.MonkeyPatch) -> None:
    """A proof that a call was taken is a redelivery of it, as its CallSid is known."""

    def careless(call: InboundCall, seen: KnownCall) -> bool:
        return needs_new_decision(call, seen) and seen.verdict is Verdict.NOT_MISSED

    patch.setattr("missedd.core.admission.decide.needs_new_decision", careless)


def leave_owed_what_a_taken_call_was(patch: pytest.MonkeyPatch) -> None:
    """That a call was taken after all is kept and shown, and nothing follows from it."""
    judged = GateFacts.candidate

    async def only_kept(db: Database, call_id: int, by: Reason, now: datetime) -> LateAnswer:
        await db.execute(
            "UPDATE calls SET reached_at = ?, reached_by = ? WHERE id = ?", (to_us(now), by, call_id)
        )
        return LateAnswer((), ())

    def blind(facts: GateFacts, action: ActionRow, **others: Any) -> Candidate:
        return judged(facts, replace(action, was_call_answered=False), **others)

    async def never(db: Database, action: ActionRow) -> bool:
        return False

    patch.setattr("missedd.store.admission.admit.record_late_answer", only_kept)
    patch.setattr(GateFacts, "candidate", blind)
    patch.setattr("missedd.store.actions.claims.has_spoken_since_call", never)


def ring_agents_who_are_at_home(patch: pytest.MonkeyPatch) -> None:
    def first(agents: Sequence[Agent], last: str | None, at: datetime) -> list[Agent]:
        return [agents[0]]

    patch.setattr("missedd.core.admission.concurrent_calls.rotation_order", first)


def draw_from_elsewhere(patch: pytest.MonkeyPatch) -> None:
    def anybody(agents: Sequence[Agent], last: str | None, at: datetime) -> list[Agent]:
        return rotation_order(agents, SystemRandom().choice(agents).number, at)

    patch.setattr("missedd.core.admission.concurrent_calls.rotation_order", anybody)
    patch.setattr(
        "missedd.core.actions.backoff.with_jitter", lambda wait_s, rng: wait_s * (1 + SystemRandom().random())
    )


def patch_target(module: str, name: str) -> Callable[..., Awaitable[Any]]:
    """What a name of a module is before it is patched."""
    found: Callable[..., Awaitable[Any]] = getattr(__import__(module, fromlist=[name]), name)
    return found


PLANTED_MISTAKES = (
    PlantedMistake(acknowledge_what_was_not_committed, ("P1",)),
    PlantedMistake(redial_an_unknown, ("P2",)),
    PlantedMistake(redial_what_a_crash_cut_off, ("P2",)),
    PlantedMistake(forget_the_cap, ("P3 cap",)),
    PlantedMistake(count_the_cap_by_calendar_hours, ("P3 cap",)),
    PlantedMistake(skip_the_gates_after_a_restart, ("P3",)),
    PlantedMistake(forget_suppression_at_send_time, ("P3 suppression",)),
    PlantedMistake(call_back_whatever_country, ("P3 country",)),
    PlantedMistake(take_the_calling_code_for_the_country, ("P3 country",)),
    PlantedMistake(take_a_refused_promotion_for_all_sms, ("P3 suppression",)),
    PlantedMistake(text_a_refused_number_of_any_class, ("P3 suppression",)),
    PlantedMistake(sleep_through_the_quiet_hours, ("P3 hours",)),
    PlantedMistake(count_the_window_from_the_last_repeat, ("P8",)),
    PlantedMistake(let_a_late_report_overwrite, ("P4",)),
    # Before anybody is rung twice, the daemon mostly finds that what it is to write cannot be, and falls.
    PlantedMistake(fire_twice_and_claim_twice, ("P0", "P2")),
    PlantedMistake(ignore_the_budget, ("P3 budget",)),
    PlantedMistake(lose_timers_beyond_the_horizon, ("P6", "P7")),
    PlantedMistake(leave_suppressed_callers_out_of_the_figures, ("P9",)),
    PlantedMistake(hear_late_words_as_the_latest, ("P9",)),
    PlantedMistake(let_more_than_the_confirmation_pass, ("P3 suppression",)),
    PlantedMistake(hand_over_what_is_being_sent, ("P2",)),
    PlantedMistake(sum_up_and_forget_what_changes, ("P9",)),
    PlantedMistake(forget_the_pause_at_send_time, ("P3 pause",)),
    PlantedMistake(prove_with_one_call_what_another_proved, ("P9",)),
    PlantedMistake(revive_an_expired_verification, ("P4",)),
    PlantedMistake(count_votes_as_they_arrive, ("P9",)),
    PlantedMistake(close_the_poll_for_late_deliveries, ("P9",)),
    PlantedMistake(forget_whom_it_spoke_with, ("P3 reached",)),
    PlantedMistake(overwrite_a_conversation, ("P3 reached",)),
    PlantedMistake(wave_a_proof_through, ("P3 reached",)),
    PlantedMistake(leave_owed_what_a_taken_call_was, ("P3 reached",)),
    PlantedMistake(ring_agents_who_are_at_home, ("P3 hours",)),
    PlantedMistake(draw_from_elsewhere, ("P10",)),
)
