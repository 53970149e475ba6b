"""Whose leg of a callback was not answered: the agent's or the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Kind, Lane, StatusReport
from missedd.core.policy import Policy
from missedd.engine.reconciliation.status_reports import interpret_report
from missedd.store.actions.rows import Timer
from missedd.store.actions.status_reports import ReportResult, apply_report
from missedd.store.reads.reader import load_analytics
from missedd.store.store import Store
from tests.core.campaigns import INDIA, call, minutes, seconds
from tests.store.actions.agent_team import FIRST, FIRST_CALLBACK, SECOND, TEAM, left_alone, rang, team
from tests.store.steps import DUE, actions, admit_calls, place_callback, rows


async def told(
    store: Store, fields: Mapping[str, str], action_id: int = FIRST_CALLBACK, of: Policy = TEAM
) -> ReportResult:
    """The provider's own report."""
    report = StatusReport(f"sid-{action_id}", fields["Status"], fields=fields)
    unit = partial(
        apply_report,
        action_id=action_id,
        kind=Kind.CALLBACK,
        report=report,
        interpret=interpret_report,
        policy=of,
        now=DUE + seconds(40),
    )
    return await store.write(unit)


@pytest.mark.parametrize(
    ("leg", "reason"),
    [
        ("busy", "agent-busy"),
        ("no-answer", "agent-no-answer"),
        ("canceled", "agent-no-answer"),
        ("failed", "agent-failed"),
    ],
)
@pytest.mark.parametrize("second", [{}, {"Legs[1][Status]": ""}, {"Legs[1][Status]": "null"}])
async def test_a_leg_that_names_the_agent_is_believed(
    store: Store, leg: str, reason: str, second: dict[str, str]
) -> None:
    await rang(store)
    await place_callback(store, FIRST_CALLBACK, of=TEAM)
    await told(store, {"Status": "failed", "Legs[0][Status]": leg} | second)
    assert (await actions(store))[1:] == [("done", "failed", reason), ("planned", None, reason)]
    assert [agent for agent, *_ in await left_alone(store)] == [FIRST]


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"Status": "failed"}, ("done", "failed", "call-failed")),
        ({"Status": "no-answer"}, ("done", "no-answer", "customer-no-answer")),
        ({"Status": "busy"}, ("done", "busy", "customer-busy")),
        (
            {"Status": "busy", "Legs[0][Status]": "completed", "Legs[1][Status]": "busy"},
            ("done", "busy", "customer-busy"),
        ),
        (
            {"Status": "no-answer", "Legs[0][Status]": "no-answer", "Legs[1][Status]": "no-answer"},
            ("done", "no-answer", "customer-no-answer"),
        ),
    ],
)
async def test_where_the_legs_are_silent_or_the_caller_was_rung_the_try_is_the_caller_s(
    store: Store, fields: dict[str, str], end: tuple[object, ...]
) -> None:
    """It counts against the cap and in the figures, and follows `retries`: there is no next agent."""
    await rang(store)
    await place_callback(store, FIRST_CALLBACK, of=TEAM)
    await told(store, fields)
    retry = [] if end[1] == "failed" else [("done", "dropped", "max-per-hour")]
    assert (await actions(store))[1:] == [end, *retry]
    assert await left_alone(store) == []
    found = await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA))
    assert (found.callbacks_made, found.agent_misses) == (1, 0)
    again = DUE + minutes(3)
    await admit_calls(store, call("c2", again), of=TEAM, at=again)
    assert (await actions(store))[-1] == ("done", "dropped", "max-per-hour")


@pytest.mark.parametrize("leg", ["busy", "no-answer", "failed"])
async def test_a_customer_who_waited_for_no_agent_was_rung(store: Store, leg: str) -> None:
    """Customer first: no success, no contacted lead, retried as unanswered; the agent is left alone."""
    of = team(FIRST, SECOND, first="customer", max_per_hour=2, retries=(minutes(5),))
    await rang(store, of)
    await place_callback(store, FIRST_CALLBACK, of=of)
    fields = {"Status": "completed", "Legs[0][Status]": "completed", "Legs[1][Status]": leg}
    applied = await told(store, fields, of=of)
    assert applied.timers == (Timer(to_us(DUE + seconds(40) + minutes(5)), 3, Lane.VOICE),)
    assert (await actions(store))[1:] == [
        ("done", "no-answer", f"agent-{leg}"),
        ("planned", None, "retry-unanswered"),
    ]
    assert await rows(store, "SELECT status FROM leads") == [("new",)]
    assert [agent for agent, *_ in await left_alone(store)] == [FIRST]
    found = await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA))
    assert (found.callbacks_made, found.callback_success_rate, found.agent_misses) == (1, 0.0, 0)
