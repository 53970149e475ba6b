"""An operator erases a number: the audit record and the log contain the pseudonym only."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from missedd.core.audit import Actor, Source
from missedd.core.people.erasure import ErasureRefusal, ErasureResult
from missedd.engine.operator import Operator
from missedd.operator_actions.numbers import Erase, Suppress
from tests.core.campaigns import CALLER, callback, campaign, policy
from tests.engine.scene import scene

BY = Actor(Source.CLI, "127.0.0.1")


async def test_erasure_is_audited_without_the_number(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with scene(tmp_path, policy(campaign(callback=callback()))) as stage:
        operator = Operator(stage.store, stage.policy, stage.clock, stage.log, stage.timers.add)
        await operator.perform(BY, Suppress(CALLER, "asked", None))
        await stage.call(caller=CALLER)
        assert await operator.perform(BY, Erase(CALLER)) == ErasureResult("erased:1", 1, 0)
        assert await operator.perform(BY, Erase(CALLER)) is ErasureRefusal.UNKNOWN
        record = await stage.rows("SELECT source, deed, subject, details FROM audit ORDER BY id")
        assert record == [
            ("cli", "number.suppressed", "erased:1", '{"reason":"asked"}'),
            ("cli", "number.erased", "erased:1", '{"suppressions":1,"consents":0}'),
        ]
        (line,) = [each for each in stage.events("operator.acted") if each["deed"] == "number.erased"]
        assert line["pseudonym"] == "erased:1"
        assert CALLER[-4:] not in str(line)
        assert await stage.rows("SELECT number FROM suppressions") == [(CALLER,)]


async def test_what_is_owed_comes_first(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with scene(tmp_path, policy(campaign(callback=callback()))) as stage:
        await stage.call(caller=CALLER)
        operator = Operator(stage.store, stage.policy, stage.clock, stage.log, stage.timers.add)
        assert await operator.perform(BY, Erase(CALLER)) is ErasureRefusal.STILL_OWED
        assert await stage.rows("SELECT * FROM audit UNION ALL SELECT *, 1, 1, 1, 1 FROM erasures") == []
