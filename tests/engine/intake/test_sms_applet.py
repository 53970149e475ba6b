"""The applet gets an SMS text after the handover is committed; if that fails, it is asked to try again."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import SHAPE_SMS_APPLET, InboundCall
from missedd.core.reasons import Reason
from missedd.engine.intake.intake_log import IntakeLog
from missedd.engine.intake.intake_queue import Overloaded
from missedd.engine.intake.sms_applet import SmsAppletResponder
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.db.database import NotDurable
from missedd.store.opened_store import MAX_WAIT_S
from tests.core.campaigns import call, callback, campaign, policy, sms
from tests.engine.scene import EngineScene, scene

TEXTS = policy(campaign(sms=sms(body="You rang at {time}."), callback=callback()))
TEXT = "You rang at 12:00."


class Texting:
    """The responder with the parts that the engine connects to it."""

    def __init__(self, stage: EngineScene) -> None:
        self._stage = stage
        self.told = IntakeLog(stage.log)
        self.doubts = 0
        self.actor = SmsAppletResponder(
            stage.store, stage.policy, stage.clock, stage.log, self._follow, self._on_refusal
        )

    def _follow(self, decided: AdmittedCall) -> None:
        self._stage.timers.add(decided.timers)
        self.told.log_admission(decided)

    def _on_refusal(self) -> None:
        self.doubts += 1


def asking(sid: str = "c1") -> InboundCall:
    return call(sid, None, shape=SHAPE_SMS_APPLET)


async def test_what_else_the_call_leads_to_is_woken_for(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, TEXTS) as stage:
        texting = Texting(stage)
        assert await texting.actor.preview_sms(asking()) == TEXT
        assert await texting.actor.hand_over_sms(asking()) == TEXT
        assert await texting.actor.hand_over_sms(asking()) == ""
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
            await texting.actor.hand_over_sms(asking())
        assert (texting.doubts, await stage.rows("SELECT 1 FROM calls")) == (1, [])
        stage.disk.is_full = False
        assert await texting.actor.hand_over_sms(asking()) == TEXT


async def test_who_waited_too_long_has_not_taken_the_text_along(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, TEXTS) as stage:
        texting = Texting(stage)
        stage.disk.takes_s = MAX_WAIT_S
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.calls, call("other", caller="+919800000001"))
            await trio.sleep(1)
            with pytest.raises(Overloaded):
                await texting.actor.hand_over_sms(asking())
        await trio.sleep(2 * MAX_WAIT_S)
        assert texting.doubts == 1
        # The call is stored, and the dispatcher sends its SMS.
        kept = await stage.rows(
            """SELECT actions.state, outcome FROM actions JOIN calls ON calls.id = call_id
               WHERE call_sid = 'c1' AND kind = 'sms'"""
        )
        assert kept == [("planned", None)]
