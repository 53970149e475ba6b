"""The provider's two lanes as they stand now: who asks whether a lane is held, and who hears that it is.

    upstream.held(Lane.VOICE)   ->  None, or why nothing but a probe may go there

The dispatchers tell it how each order ended, the look-ups how they did;
`missedd.core.upstream.circuit_breaker` decides, and what a person should know `lane_alerts` tells.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import trio

from missedd.base.clock import Clock
from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.core.upstream.campaign_refusals import OwnRefusals
from missedd.core.upstream.circuit_breaker import (
    IN_DOUBT,
    OF_THE_ACCOUNT,
    WELL,
    Course,
    Sign,
    after_look_up,
    after_nothing,
    after_order,
    after_the_other,
    hold,
)
from missedd.engine.alerts.active_alerts import Troubles
from missedd.engine.alerts.lane_alerts import Telling
from missedd.exotel.client import Unavailable
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.log.logger import Logger

LANES: Final = (Lane.VOICE, Lane.SMS)

_SIGNS: Final = {
    Reason.CONNECTION_FAILED: Sign.UNREACHED,
    Reason.PROVIDER_AUTH: Sign.CREDENTIALS,
    Reason.ACCOUNT_PROBLEM: Sign.ACCOUNT,
}


def sign_of(answer: Answer) -> Sign | None:
    """What an answer says of the provider; None where no request was made."""
    match answer:
        case Accepted():
            return Sign.TAKEN
        case Refused(reason=Reason.NO_LONGER_CONFIGURED):
            return None
        case Refused(reason=Reason.RATE_LIMITED, code=code) if code.startswith("503"):
            return Sign.THROTTLED
        case Refused(retryable=True, reason=reason) if reason in OF_THE_ACCOUNT:
            return Sign.ANSWERED  # the campaign's own: see `judged`
        case Refused(reason=reason):
            return _SIGNS.get(reason, Sign.ANSWERED)
        case Unknown(code=code):
            return Sign.FAILED if code.startswith("5") else Sign.LOST


class Upstream:
    def __init__(self, clock: Clock, log: Logger, troubles: Troubles, in_doubt: frozenset[Lane]) -> None:
        """`in_doubt` are the lanes that were held when the daemon stopped."""
        self._telling = Telling(clock, log, troubles)
        self._courses = {lane: IN_DOUBT if lane in in_doubt else WELL for lane in Lane}
        self._changed = {lane: trio.Event() for lane in LANES}
        self._turns = {lane: trio.Lock() for lane in LANES}
        self._own = {lane: OwnRefusals() for lane in LANES}

    def held(self, lane: Lane) -> Reason | None:
        """Why the actions of a lane are held by the provider just now; None while all is well."""
        return self._courses[lane].reason

    def in_doubt(self, lane: Lane) -> bool:
        """Whether the last order failed: then one at a time goes, until one is taken."""
        return self._courses[lane].fails > 0

    def burns(self, lane: Lane) -> bool:
        """Whether a failed order may have had its effect, so that a look-up is to ask first."""
        return self._courses[lane].burns

    def wait_s(self, lane: Lane) -> float:
        """Until the next probe."""
        return max(0.0, self._courses[lane].asks_at_s - trio.current_time())

    def judged(self, lane: Lane, campaign: str, answer: Answer, began_s: float) -> Answer:
        """The answer to an order of a campaign; one for now where the account is refused to that one alone.

        Such an action waits and is tried again by itself, until it is too old, and its lane is not held.
        """
        if lane not in self._own:
            return answer
        own = self._own[lane]
        match answer:
            case Accepted() if own.taken(campaign, began_s):
                self._telling.end_own(lane, campaign)
            case Refused(reason=reason) if reason in OF_THE_ACCOUNT:
                if own.is_own(campaign, trio.current_time()):
                    self._telling.tell_own(lane, campaign, answer.code, answer.message)
                    return replace(answer, retryable=True)
        return answer

    def answered(self, lane: Lane, answer: Answer, began_s: float) -> None:
        """An order that began at this instant of trio's clock ended so."""
        sign = sign_of(answer)
        if sign is None:
            return
        wish_s = answer.retry_after_s if isinstance(answer, Refused) else None
        now_s, before = trio.current_time(), self._courses[lane]
        after = after_order(before, sign, began_s, now_s, wish_s)
        said = answer.message if isinstance(answer, Refused | Unknown) else ""
        begins = after.reason in OF_THE_ACCOUNT and after.reason is not self.held(lane)
        self._become(lane, after, answer.code, said)
        if begins and after.reason is not None:
            for other in LANES:
                if self.held(other) not in OF_THE_ACCOUNT:
                    self._become(other, hold(after.reason, now_s), answer.code, said)
        if before.reason in OF_THE_ACCOUNT and after.reason is None:
            for other in LANES:
                self._become(other, after_the_other(self._courses[other]), "", "")

    def looked(self, lane: Lane, found: object) -> bool:
        """A look-up that was a probe brought this; whether it was answered, if only by a refusal to tell."""
        code = found.code if isinstance(found, Unavailable) else "200"
        is_answered = code[:1] in "1234"
        course = self._courses[lane]
        self._become(lane, after_look_up(course, trio.current_time(), is_answered=is_answered), code, "")
        return is_answered

    def nothing_waits(self, lane: Lane) -> None:
        """A look-up was answered, and no action is there that could show whether orders are taken."""
        self._become(lane, after_nothing(self._courses[lane]), "", "")

    def note_held(self, lane: Lane) -> None:
        """An action is held with its lane: a probe could be made with it."""
        self._stir(lane)

    async def stalled(self, lane: Lane) -> None:
        """Return when an action was held with its lane, or the lane stands otherwise than now."""
        await self._changed[lane].wait()

    async def trouble(self, lane: Lane) -> Reason:
        """Return when a lane is held, with the reason."""
        while (reason := self.held(lane)) is None:
            await self._changed[lane].wait()
        return reason

    async def well(self, lane: Lane) -> None:
        """Return when the provider can be reached, as far as is known."""
        while self.held(lane) is Reason.PROVIDER_UNREACHABLE:
            await self._changed[lane].wait()

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncIterator[bool]:
        """The turn to be a held lane's one probe; False where the lane is not held any more."""
        async with self._turns[lane]:
            while self.held(lane) is not None and (wait_s := self.wait_s(lane)) > 0:
                with trio.move_on_after(wait_s):
                    await self._changed[lane].wait()
            yield self.held(lane) is not None

    @asynccontextmanager
    async def asking(self, lane: Lane) -> AsyncIterator[bool]:
        """A look-up's turn: at once as a rule, as the probe where the provider is out of reach; then True."""
        if self.held(lane) is not Reason.PROVIDER_UNREACHABLE:
            yield False
            return
        async with self.turn(lane) as is_held:
            yield is_held

    def _become(self, lane: Lane, after: Course, code: str, said: str) -> None:
        before, self._courses[lane] = self._courses[lane], after
        if after == before:
            return
        if before.is_trouble and after.reason is not before.reason:
            is_over = all(self.held(other) is not before.reason for other in LANES)
            self._telling.end(lane, before, is_over=is_over)
        if after.is_trouble:
            self._telling.tell(lane, before, after, code, said)
        self._stir(lane)

    def _stir(self, lane: Lane) -> None:
        changed, self._changed[lane] = self._changed[lane], trio.Event()
        changed.set()
