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

from missedd.base.clock import from_us, to_us
from missedd.core.actions.lifecycle import Step, step
from missedd.core.admission.caller_history import Seen
from missedd.core.admission.decide import is_news
from missedd.core.admission.gates import Candidate, Go, Judgement, judge
from missedd.core.agent_rotation import Agent, in_turn
from missedd.core.business_hours import DailyWindow
from missedd.core.model import Admission, InboundCall, Kind, State, Verdict
from missedd.core.people.suppression import Bar, Channel
from missedd.core.people.verification import TABLE, Status, Verification, attempt
from missedd.core.people.verification import Step as Event
from missedd.core.policy import MessageClass, Policy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import Settled, settle
from missedd.engine.provider.rate_limiter import Budget
from missedd.engine.timing.timers import Timers
from missedd.exotel.request_result import Answer, Refused, Unknown
from missedd.store.actions.conversations import Taken
from missedd.store.actions.gate_facts import GateFacts
from missedd.store.actions.rows import ActionRow, Wake, fetch_actions
from missedd.store.actions.timers import wakes_between
from missedd.store.admission import admit as admit_module
from missedd.store.db.database import Database, NotDurable, Transacting, Unit
from missedd.store.db.group_commit import Fault, commit_group
from missedd.store.db.migrate import _FILES
from missedd.store.people.suppressions import Suppressions
from missedd.store.people.verifications import Proofs
from missedd.store.polls.votes import Ballots

type Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`breaks` begins the names of the promises by which it may be noticed."""

    plant: Plant
    breaks: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.plant.__name__


def acknowledge_what_was_not_committed(patch: pytest.MonkeyPatch) -> None:
    async def careless(db: Transacting, units: Sequence[Unit[Any]], fault: Fault) -> list[Any]:
        try:
            return await commit_group(db, units, fault)
        except NotDurable:
            await db.execute("BEGIN")
            try:
                return [await unit(db) for unit in units]
            finally:
                await db.execute("ROLLBACK")

    patch.setattr("missedd.store.db.inline_driver.commit_group", careless)


def redial_an_unknown(patch: pytest.MonkeyPatch) -> None:
    def hasty(answer: Answer, kind: Kind, attempt: int, now: datetime, rng: Random) -> Settled:
        if isinstance(answer, Unknown) and kind is not Kind.WEBHOOK:
            answer = Refused(True, answer.code, Reason.CONNECTION_FAILED)
        return settle(answer, kind, attempt, now, rng)

    patch.setattr("missedd.engine.dispatch.dispatcher.settle", hasty)


def redial_what_a_crash_cut_off(patch: pytest.MonkeyPatch) -> None:
    async def rescue(db: Database, now: datetime) -> int:
        await db.execute(
            """UPDATE actions SET state = 'planned', wake_at = ?, due_at = ?
               WHERE state = 'attempting' AND wake_at IS NULL""",
            (to_us(now), to_us(now)),
        )
        return 0

    patch.setattr("missedd.engine.recovery.rescue", rescue)


def forget_the_cap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.fits", lambda others, at, limit: True)


def count_the_cap_by_calendar_hours(patch: pytest.MonkeyPatch) -> None:
    def fits(others: Iterable[datetime], at: datetime, limit: int) -> bool:
        hour = at.replace(minute=0, second=0, microsecond=0)
        return sum(hour <= each < hour + timedelta(hours=1) for each in others) < limit

    patch.setattr("missedd.core.admission.gates.fits", fits)


def skip_the_gates_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    starts = 0

    def lenient(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
        return Go() if starts > 1 else judge(candidate, policy, at)

    rescue = patch_target("missedd.engine.recovery", "rescue")

    async def counted(db: Database, now: datetime) -> int:
        nonlocal starts
        starts += 1
        found: int = await rescue(db, now)
        return found

    patch.setattr("missedd.engine.recovery.rescue", counted)
    patch.setattr("missedd.store.actions.claims.judge", lenient)


def forget_suppression_at_send_time(patch: pytest.MonkeyPatch) -> None:
    def deaf(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
        return judge(replace(candidate, is_suppressed=False, bars=()), policy, at)

    patch.setattr("missedd.store.actions.claims.judge", deaf)


def call_back_whatever_country(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.contacts", lambda countries, number, exophone: True)


def take_the_calling_code_for_the_country(patch: pytest.MonkeyPatch) -> None:
    def of_code(number: str) -> str:
        return phonenumbers.region_code_for_country_code(phonenumbers.parse(number).country_code or 0)

    patch.setattr("missedd.core.contact_countries.region_of", of_code)


def take_a_refused_promotion_for_all_sms(patch: pytest.MonkeyPatch) -> None:
    def deaf(
        bars: Sequence[Bar], message_class: MessageClass, sender: str, *, confirms: bool
    ) -> Reason | None:
        return Reason.REFUSES_SMS if any(each.channel is Channel.SMS for each in bars) else None

    patch.setattr("missedd.core.admission.gates.refusal_of_sms", deaf)


def text_a_refused_number_of_any_class(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.admission.gates.refusal_of_sms", lambda *_, confirms: None)


def sleep_through_the_quiet_hours(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DailyWindow, "release_at", lambda self, instant, timezone: instant)


def count_the_window_from_the_last_repeat(patch: pytest.MonkeyPatch) -> None:
    honest = patch_target("missedd.store.admission.admit", "histories_of")

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

    patch.setattr(admit_module, "histories_of", postponed)


def let_a_late_report_overwrite(patch: pytest.MonkeyPatch) -> None:
    def lax(state: State, event: Step) -> State | None:
        return State.DONE if event is Step.REPORT else step(state, event)

    patch.setattr("missedd.store.actions.status_reports.step", lax)


def fire_twice_and_claim_twice(patch: pytest.MonkeyPatch) -> None:
    """Timers fire twice after the clock was set, and a claim no longer looks at the state."""
    notice = Timers._notice_step
    fired: dict[Wake, None] = {}  # in order, each once, however often it is fired again
    fire = Timers._fire

    def remembering(self: Timers, now_us: int) -> None:
        fired.update((each, None) for each in self._heap if each.at_us <= now_us)
        fire(self, now_us)

    def again(self: Timers, stepped_s: float) -> None:
        heap = len(self._heap)
        notice(self, stepped_s)
        if abs(stepped_s) > 100:
            self.add(fired)
        assert len(self._heap) >= heap

    async def forgetful(db: Database, ids: Sequence[int]) -> list[ActionRow]:
        return [
            replace(each, state=State.PLANNED) if each.state in (State.ATTEMPTING, State.PLACED) else each
            for each in await fetch_actions(db, ids)
        ]

    patch.setattr(Timers, "_fire", remembering)
    patch.setattr(Timers, "_notice_step", again)
    patch.setattr("missedd.store.actions.claims.fetch_actions", forgetful)


def ignore_the_budget(patch: pytest.MonkeyPatch) -> None:
    async def at_once(self: Budget) -> float:
        return 0.0

    patch.setattr(Budget, "turn", at_once)


def lose_timers_beyond_the_horizon(patch: pytest.MonkeyPatch) -> None:
    async def only_the_first(db: Database, after_us: int, until_us: int) -> list[Wake]:
        return await wakes_between(db, after_us, until_us) if after_us < 0 else []

    patch.setattr("missedd.engine.engine.wakes_between", only_the_first)


def leave_suppressed_callers_out_of_the_figures(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.analytics.figures.COUNTED", ("accepted", "duplicate"))


def hear_late_words_as_the_latest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.people.consent.insort", lambda wishes, wish, key: wishes.append(wish))


def let_more_than_the_confirmation_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Suppressions, "bars", lambda self, number, kind, call_id: self.is_barred(number))


def hand_over_what_is_being_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.store.admission.sms_applet.step", lambda state, event: State.DONE)


def sum_up_and_forget_what_changes(patch: pytest.MonkeyPatch) -> None:
    forgetful = [
        (name, re.sub(r"VALUES \('(\w+)', (\w+)\.id, -1\)", r"VALUES ('\1', 0, 0)", text))
        for name, text in _FILES
    ]
    patch.setattr("missedd.store.db.migrate._FILES", forgetful)


def forget_the_pause_at_send_time(patch: pytest.MonkeyPatch) -> None:
    def tireless(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
        return judge(replace(candidate, pause=None), policy, at)

    patch.setattr("missedd.store.actions.claims.judge", tireless)


def prove_with_one_call_what_another_proved(patch: pytest.MonkeyPatch) -> None:
    """A closed verification answers for each further call."""
    patch.setattr(
        "missedd.store.people.verifications.attempt",
        lambda latest, called_at: Reason.NO_VERIFICATION_PENDING if latest is None else Reason.VERIFIED,
    )
    patch.setattr(
        "missedd.store.people.verifications.TABLE",
        {(status, event): TABLE[Status.PENDING, event] for status in Status for event in Event},
    )


def revive_an_expired_verification(patch: pytest.MonkeyPatch) -> None:
    def lenient(latest: Verification | None, called_at: datetime) -> Reason:
        told = latest is not None and latest.status is Status.EXPIRED
        return attempt(replace(latest, status=Status.PENDING) if latest and told else latest, called_at)

    def prove(self: Proofs, verification: Verification, call_id: int, now: datetime) -> None:
        honest(self, replace(verification, status=Status.PENDING), call_id, now)

    honest = Proofs._prove
    patch.setattr("missedd.store.people.verifications.attempt", lenient)
    patch.setattr(Proofs, "_prove", prove)


def count_votes_as_they_arrive(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.polls.voting_rules.insort", lambda votes, vote: votes.append(vote))


def close_the_poll_for_late_deliveries(patch: pytest.MonkeyPatch) -> None:
    honest = Ballots.record

    def by_receipt(self: Ballots, admission: Admission, call: InboundCall) -> Admission:
        here = read_at[-1]
        late = replace(admission, called_at=max(admission.called_at, here - timedelta(minutes=1)))
        return replace(honest(self, late, call), called_at=admission.called_at)

    read_at: list[datetime] = []
    patch.setattr(Ballots, "record", by_receipt)
    history = patch_target("missedd.store.admission.admit", "histories_of")

    async def noting(db: Database, calls: Any, policy: Policy, received_at: datetime) -> Any:
        read_at.append(received_at)
        return await history(db, calls, policy, received_at)

    patch.setattr(admit_module, "histories_of", noting)


def forget_whom_it_spoke_with(patch: pytest.MonkeyPatch) -> None:
    async def never(db: Database, action: ActionRow) -> bool:
        return False

    async def nobody(*_: object) -> tuple[ActionRow, ...]:
        return ()

    patch.setattr("missedd.store.actions.claims.is_reached", never)
    patch.setattr("missedd.store.actions.next_callback.is_reached", never)
    patch.setattr("missedd.store.actions.status_reports.spoken_with", nobody)
    patch.setattr("missedd.store.admission.admit.spoken_with", nobody)


def overwrite_a_conversation(patch: pytest.MonkeyPatch) -> None:
    """A Passthru that is delivered late is decided as if nothing had been said of the call."""

    def careless(call: InboundCall, seen: Seen) -> bool:
        return is_news(call, seen) or (seen.verdict is Verdict.NOT_MISSED and call.not_missed is None)

    patch.setattr("missedd.core.admission.decide.is_news", careless)


def wave_a_proof_through(patch: pytest.MonkeyPatch) -> None:
    """A proof that a call was taken is a redelivery of it, as its CallSid is known."""

    def careless(call: InboundCall, seen: Seen) -> bool:
        return is_news(call, seen) and seen.verdict is Verdict.NOT_MISSED

    patch.setattr("missedd.core.admission.decide.is_news", careless)


def leave_owed_what_a_taken_call_was(patch: pytest.MonkeyPatch) -> None:
    """That a call was taken after all is kept and shown, and nothing follows from it."""
    judged = GateFacts.candidate

    async def only_kept(db: Database, call_id: int, by: Reason, now: datetime) -> Taken:
        await db.execute(
            "UPDATE calls SET reached_at = ?, reached_by = ? WHERE id = ?", (to_us(now), by, call_id)
        )
        return Taken((), ())

    def blind(facts: GateFacts, action: ActionRow, **others: Any) -> Candidate:
        return judged(facts, replace(action, is_call_reached=False), **others)

    async def never(db: Database, action: ActionRow) -> bool:
        return False

    patch.setattr("missedd.store.admission.admit.taken_after_all", only_kept)
    patch.setattr(GateFacts, "candidate", blind)
    patch.setattr("missedd.store.actions.claims.is_reached", never)


def ring_agents_who_are_at_home(patch: pytest.MonkeyPatch) -> None:
    def first(agents: Sequence[Agent], last: str | None, at: datetime) -> list[Agent]:
        return [agents[0]]

    patch.setattr("missedd.core.admission.concurrent_calls.in_turn", first)


def draw_from_elsewhere(patch: pytest.MonkeyPatch) -> None:
    def anybody(agents: Sequence[Agent], last: str | None, at: datetime) -> list[Agent]:
        return in_turn(agents, SystemRandom().choice(agents).number, at)

    patch.setattr("missedd.core.admission.concurrent_calls.in_turn", anybody)
    patch.setattr(
        "missedd.core.actions.backoff.jittered", lambda wait_s, rng: wait_s * (1 + SystemRandom().random())
    )


def patch_target(module: str, name: str) -> Callable[..., Awaitable[Any]]:
    """What a name of a module is before it is patched."""
    found: Callable[..., Awaitable[Any]] = getattr(__import__(module, fromlist=[name]), name)
    return found


MISTAKES = (
    Mistake(acknowledge_what_was_not_committed, ("P1",)),
    Mistake(redial_an_unknown, ("P2",)),
    Mistake(redial_what_a_crash_cut_off, ("P2",)),
    Mistake(forget_the_cap, ("P3 cap",)),
    Mistake(count_the_cap_by_calendar_hours, ("P3 cap",)),
    Mistake(skip_the_gates_after_a_restart, ("P3",)),
    Mistake(forget_suppression_at_send_time, ("P3 suppression",)),
    Mistake(call_back_whatever_country, ("P3 country",)),
    Mistake(take_the_calling_code_for_the_country, ("P3 country",)),
    Mistake(take_a_refused_promotion_for_all_sms, ("P3 suppression",)),
    Mistake(text_a_refused_number_of_any_class, ("P3 suppression",)),
    Mistake(sleep_through_the_quiet_hours, ("P3 hours",)),
    Mistake(count_the_window_from_the_last_repeat, ("P8",)),
    Mistake(let_a_late_report_overwrite, ("P4",)),
    # Before anybody is rung twice, the daemon mostly finds that what it is to write cannot be, and falls.
    Mistake(fire_twice_and_claim_twice, ("P0", "P2")),
    Mistake(ignore_the_budget, ("P3 budget",)),
    Mistake(lose_timers_beyond_the_horizon, ("P6", "P7")),
    Mistake(leave_suppressed_callers_out_of_the_figures, ("P9",)),
    Mistake(hear_late_words_as_the_latest, ("P9",)),
    Mistake(let_more_than_the_confirmation_pass, ("P3 suppression",)),
    Mistake(hand_over_what_is_being_sent, ("P2",)),
    Mistake(sum_up_and_forget_what_changes, ("P9",)),
    Mistake(forget_the_pause_at_send_time, ("P3 pause",)),
    Mistake(prove_with_one_call_what_another_proved, ("P9",)),
    Mistake(revive_an_expired_verification, ("P4",)),
    Mistake(count_votes_as_they_arrive, ("P9",)),
    Mistake(close_the_poll_for_late_deliveries, ("P9",)),
    Mistake(forget_whom_it_spoke_with, ("P3 reached",)),
    Mistake(overwrite_a_conversation, ("P3 reached",)),
    Mistake(wave_a_proof_through, ("P3 reached",)),
    Mistake(leave_owed_what_a_taken_call_was, ("P3 reached",)),
    Mistake(ring_agents_who_are_at_home, ("P3 hours",)),
    Mistake(draw_from_elsewhere, ("P10",)),
)
