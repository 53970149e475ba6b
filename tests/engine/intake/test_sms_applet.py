"""The applet is given a text once that is on record; what cannot be made sure is asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import SMS_APPLET, InboundCall
from missedd.core.reasons import Reason
from missedd.engine.intake.intake_log import AdmissionLog
from missedd.engine.intake.intake_queue import PATIENCE_S, Overloaded
from missedd.engine.intake.sms_applet import HandOver
from missedd.store.admission.admit import Admitted
from missedd.store.db.database import NotDurable
from tests.core.campaigns import call, callback, campaign, policy, sms
from tests.engine.scene import Scene, scene

TEXTS = policy(campaign(sms=sms(body="You rang at {time}."), callback=callback()))
TEXT = "You rang at 12:00."


class Texting:
    """The actor with what stands beside it in the engine."""

    def __init__(self, stage: Scene) -> None:
        self._stage = stage
        self.told = AdmissionLog(stage.log)
        self.doubts = 0
        self.actor = HandOver(
            stage.store, stage.policy, stage.clock, stage.log, self._follow, self._on_refusal
        )

    def _follow(self, decided: Admitted) -> None:
        self._stage.timers.add(decided.wakes)
        self.told.note(decided)

    def _on_refusal(self) -> None:
        self.doubts += 1


def asking(sid: str = "c1") -> InboundCall:
    return call(sid, None, shape=SMS_APPLET)


async def test_what_else_the_call_leads_to_is_woken_for(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, TEXTS) as stage:
        texting = Texting(stage)
        assert await texting.actor.preview(asking()) == TEXT
        assert await texting.actor.hand_over(asking()) == TEXT
        assert await texting.actor.hand_over(asking()) == ""
        assert await stage.actions("kind, state") == [("sms", "done"), ("callback", "planned")]
        assert 2 in stage.timers.pending_ids()
        (admitted,) = stage.events("webhook.admitted")
        assert admitted["verdict"] == "accepted"
        (closed,) = stage.events("action.closed")
        assert (closed["outcome"], closed["reason"]) == ("handed-over", Reason.HANDED_TO_APPLET)
        assert texting.doubts == 0


async def test_nothing_is_given_that_could_not_be_kept(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, TEXTS) as stage:
        texting = Texting(stage)
        stage.disk.is_full = True
        with pytest.raises(NotDurable):
            await texting.actor.hand_over(asking())
        assert (texting.doubts, await stage.rows("SELECT 1 FROM calls")) == (1, [])
        stage.disk.is_full = False
        assert await texting.actor.hand_over(asking()) == TEXT


async def test_who_waited_too_long_has_not_taken_the_text_along(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, TEXTS) as stage:
        texting = Texting(stage)
        stage.disk.takes_s = PATIENCE_S
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.calls, call("other", caller="+919800000001"))
            await trio.sleep(1)
            with pytest.raises(Overloaded):
                await texting.actor.hand_over(asking())
        await trio.sleep(2 * PATIENCE_S)
        assert texting.doubts == 1
        # The call is kept all the same, and its SMS is the dispatcher's.
        kept = await stage.rows(
            """SELECT actions.state, outcome FROM actions JOIN calls ON calls.id = call_id
               WHERE call_sid = 'c1' AND kind = 'sms'"""
        )
        assert kept == [("planned", None)]
