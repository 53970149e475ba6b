"""A term ends when it is lost or drained, and its fence keeps late writes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock

from missedd.engine.leadership.term import SoleLeadership, Term, run_term
from missedd.store.db.database import Database, NotDurable, NotLeading, UnitOfWork
from missedd.store.db.lock_keys import NO_LOCKS, LockKeys
from missedd.store.db.write_counts import WriteCounts
from missedd.store.db.writer import Writer
from missedd.store.store import Store
from tests.core.campaigns import callback, campaign, policy
from tests.engine.scene import scene

CALLBACKS = policy(campaign(callback=callback()))


async def no_fence(db: Database) -> None:
    """A fence that lets everything through."""


async def fail_by(error: Exception) -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep(1)
    raise error


async def lead_for_ever(term: Term, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await trio.sleep_forever()


async def test_one_node_leads_at_once_and_for_ever(autojump_clock: MockClock) -> None:
    terms: list[Term] = []

    async def lead(term: Term, task_status: trio.TaskStatus[None]) -> None:
        terms.append(term)
        task_status.started()
        await stopping.wait()

    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(SoleLeadership().run, lead, stopping)
        await trio.sleep(1e6)
        assert len(terms) == 1
        assert not terms[0].is_shared
        assert terms[0].why_not_send(asked_at_s=0.0) is None
        stopping.set()


async def test_who_leads_is_cancelled_when_the_term_is_lost(autojump_clock: MockClock) -> None:
    term = Term(1, no_fence)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:

            async def lose() -> None:
                await trio.sleep(5)
                term.lost.set()

            nursery.start_soon(lose)
            assert not await run_term(lead_for_ever, term)


async def test_who_drained_has_not_lost_the_term(autojump_clock: MockClock) -> None:
    async def lead(term: Term, task_status: trio.TaskStatus[None]) -> None:
        await trio.sleep(1)

    term = Term(1, no_fence)
    assert await run_term(lead, term)
    assert not term.lost.is_set()


@pytest.mark.parametrize("error", [NotLeading("replaced"), NotDurable("the database is away")])
async def test_a_part_that_cannot_go_on_ends_its_term_alone(
    error: Exception, autojump_clock: MockClock
) -> None:
    async def lead(term: Term, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as parts:
            parts.start_soon(fail_by, error)
            parts.start_soon(trio.sleep_forever)

    term = Term(1, no_fence)
    assert not await run_term(lead, term)
    assert term.lost.is_set()


async def test_any_other_error_is_not_caught(autojump_clock: MockClock) -> None:
    async def lead(term: Term, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as parts:
            parts.start_soon(fail_by, NotLeading("replaced"))
            parts.start_soon(fail_by, ValueError("a bug"))

    with pytest.RaisesGroup(ValueError, flatten_subgroups=True):
        await run_term(lead, Term(1, no_fence))


async def test_a_request_goes_out_in_time_and_under_a_trusted_lease(autojump_clock: MockClock) -> None:
    is_trusted = True
    term, asked_s = Term(1, no_fence, lambda: is_trusted), trio.current_time()
    assert term.why_not_send(asked_s) is None
    await trio.sleep(0.49)
    assert term.why_not_send(asked_s) is None
    is_trusted = False
    assert term.why_not_send(asked_s) == "not-leading"
    await trio.sleep(0.02)
    assert term.why_not_send(asked_s) == "too-late"


async def test_the_fence_stops_one_unit_and_no_other(autojump_clock: MockClock, tmp_path: Path) -> None:
    async def closed(db: Database) -> None:
        raise NotLeading("epoch 2 leads")

    async def pause(db: Database) -> None:
        await db.execute("INSERT INTO pauses (campaign, since_at, why, source) VALUES ('shop', 0, '', 'api')")

    results: dict[str, object] = {}
    async with scene(tmp_path, CALLBACKS) as stage, trio.open_nursery() as nursery:
        late, early = stage.store.fenced(closed), stage.store.fenced(no_fence)

        async def late_write() -> None:
            try:
                await late.write(pause)
            except NotLeading as stopped:
                results["late"] = str(stopped)

        async def early_write() -> None:
            results["early"] = await early.write(pause)

        nursery.start_soon(late_write)
        nursery.start_soon(early_write)
        await trio.sleep(1)
        assert results == {"late": "epoch 2 leads", "early": None}
        assert await stage.rows("SELECT count(*) FROM pauses") == [(1,)]


class AwayDatabase:
    """A connection to a database that is away for a while."""

    def __init__(self, away_s: float) -> None:
        self._back_at_s = trio.current_time() + away_s

    outage: str | None = None
    counts = WriteCounts()

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        await trio.lowlevel.checkpoint()
        if trio.current_time() < self._back_at_s:
            raise NotDurable("the database is away")
        return cast("T", "read")

    async def write(
        self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False, locks: LockKeys = NO_LOCKS
    ) -> list[Any]:
        raise AssertionError("this connection only reads")

    async def close(self) -> None: ...


async def test_in_a_term_a_read_waits_for_a_database_that_is_away(autojump_clock: MockClock) -> None:
    async def unit(db: Database) -> str:
        raise AssertionError("the connection runs it")

    away = AwayDatabase(away_s=5.0)
    store = Store(None, Writer(away), away, is_checked=True)
    with pytest.raises(NotDurable):
        await store.read(unit)
    assert await store.fenced(no_fence).read(unit) == "read"
    assert 5.0 <= trio.current_time() < 6.0
