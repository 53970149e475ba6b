"""Reads `[campaign.callback]`: who is called, when, and how often.

agents = ["+919876500001", {number = "+919876500002", open = ["mon-fri 09:00-13:00"], calls_at_once = 2}]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from enum import StrEnum
from itertools import accumulate

from missedd.config.hours import read_business_hours
from missedd.config.table import ConfigTable
from missedd.config.values import IMPLAUSIBLE_NUMBER, format_duration, toml_repr
from missedd.core.agent_rotation import UNLIMITED_CALLS, Agent
from missedd.core.business_hours import BusinessHours
from missedd.core.model import Outcome
from missedd.core.phone import is_plausible, normalise
from missedd.core.policy import (
    MAX_RING_TIME,
    AfterHoursCallback,
    CallbackPolicy,
    Campaign,
    MessageClass,
    Retries,
)

DEFAULT_DELAY = timedelta(seconds=30)
DEFAULT_GIVE_UP_AFTER = timedelta(minutes=15)
DEFAULT_RING_TIMEOUT = timedelta(seconds=30)
DEFAULT_TIME_LIMIT = timedelta(hours=1)
DEFAULT_AGENT_RETRY = timedelta(minutes=2)
DEFAULT_MAX_PER_HOUR = 2
MINUTES_A_DAY = 24 * 60

MAX_TIME_LIMIT = timedelta(seconds=14_400)
"""The provider's limit for its parameter `TimeLimit`."""


class _FirstRung(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"


def read_callback(
    table: ConfigTable | None, timezone: str, exophones: Collection[str] = ()
) -> CallbackPolicy | None:
    """How a campaign calls back. `exophones` are all ExoPhones of the configuration; none of them can be an
    agent."""
    if table is None:
        return None
    flow = table.identifier("flow", r"[A-Za-z0-9_-]{1,64}", 'the flow\'s id such as "12345"')
    agents = _agents(table, timezone, exophones)
    first = table.choice("first", _FirstRung)
    at_once = _calls_at_once(table)
    if table.has("agent_retry") and not table.has("agents"):
        table.problem("agent_retry", "needs agents: with a flow, the flow calls the agents")
    delay = table.duration("delay", positive=False)
    delay = DEFAULT_DELAY if delay is None else delay
    give_up_after = table.duration("give_up_after") or DEFAULT_GIVE_UP_AFTER
    if table.has("flow") and table.has("agents"):
        table.problem(
            "flow", "cannot be used with agents: the customer is connected to a flow or to an agent, not both"
        )
    elif table.value("agents") == []:
        table.problem("agents", "must not be empty")
    elif not table.has("flow") and not table.has("agents"):
        table.problem("flow", "is required, or agents instead of it")
    elif table.has("flow") and first is _FirstRung.AGENT:
        table.problem("first", "needs agents: with a flow only the customer is called")
    if give_up_after < delay:
        words = (
            f"{format_duration(give_up_after)} is shorter than delay, {format_duration(delay)}: no "
            "callback would be made"
        )
        table.problem("give_up_after", words if table.has("give_up_after") else f"its default of {words}")
    return CallbackPolicy(
        delay=delay,
        flow=flow,
        agents=agents,
        first=(first or (_FirstRung.AGENT if agents else _FirstRung.CUSTOMER)).value,
        max_per_hour=table.integer("max_per_hour") or DEFAULT_MAX_PER_HOUR,
        ring_timeout=table.duration("ring_timeout", maximum=MAX_RING_TIME, whole_seconds=True)
        or DEFAULT_RING_TIMEOUT,
        give_up_after=give_up_after,
        retries=_retries(table),
        message_class=table.choice("message_class", MessageClass) or MessageClass.SERVICE,
        time_limit=table.duration("time_limit", maximum=MAX_TIME_LIMIT, whole_seconds=True)
        or DEFAULT_TIME_LIMIT,
        caller_id=read_caller_id(table),
        calls_at_once=at_once,
        agent_retry=table.duration("agent_retry") or DEFAULT_AGENT_RETRY,
    )


def read_caller_id(table: ConfigTable) -> str | None:
    """The ExoPhone to call from, in E.164."""
    text = table.value("caller_id")
    number = normalise(text) if isinstance(text, str) else None
    if text is not None and number is None:
        table.problem("caller_id", f"must be an ExoPhone of the account, in quotes, not {toml_repr(text)}")
    return number


def _retries(table: ConfigTable) -> Retries:
    """One list for `no-answer` and `busy`, or a table with a list for each outcome of a try."""
    if not isinstance(table.value("retries"), dict):
        waits = table.durations("retries")
        return Retries(no_answer=waits, busy=waits)
    by_outcome = table.table_or_empty("retries")
    return Retries(
        no_answer=by_outcome.durations(Outcome.NO_ANSWER.value),
        busy=by_outcome.durations(Outcome.BUSY.value),
        failed=by_outcome.durations(Outcome.FAILED.value),
    )


def _calls_at_once(table: ConfigTable) -> int | None:
    """A whole number, or `"any"` for no limit; None if it is not set."""
    value = table.value("calls_at_once")
    if value == "any":
        return UNLIMITED_CALLS
    if isinstance(value, str):
        table.problem("calls_at_once", f'must be a whole number or "any", not {toml_repr(value)}')
        return None
    return table.integer("calls_at_once")


def _agents(table: ConfigTable, timezone: str, exophones: Collection[str]) -> tuple[Agent, ...]:
    """Numbers, or tables with a number, its duty hours and its limit of calls."""
    agents: list[Agent] = []
    for place, member in table.tables_or_values("agents"):
        key, text, hours, at_once = place, member, None, None
        if isinstance(member, ConfigTable):
            key, text = f"{place}.number", member.value("number", required=True)
            hours, at_once = _duty_hours(member, timezone), _calls_at_once(member)
            if text is None:
                continue
        number = normalise(text) if isinstance(text, str) else None
        if not isinstance(text, str):
            table.problem(key, f"must be a number in quotes, or a table with one, not {toml_repr(text)}")
        elif number is None:
            table.problem(key, f"is not a usable phone number: {toml_repr(text)}")
        elif number in exophones:
            table.problem(
                key, f"is an ExoPhone of this configuration, so nobody answers it: {toml_repr(text)}"
            )
        elif any(number == agent.number for agent in agents):
            table.problem(key, f"is already in the list: {toml_repr(text)}")
        else:
            agents.append(Agent(number, hours, at_once))
    return tuple(agents)


def _duty_hours(table: ConfigTable, timezone: str) -> BusinessHours | None:
    """The duty hours of one agent; None if the agent is always on duty."""
    if not any(table.has(key) for key in ("open", "holidays", "dates")):
        return None
    return read_business_hours(table, timezone, "leave it out to be always on duty")


def callback_warnings(campaign: Campaign) -> Iterator[str]:
    """Values of a campaign's callbacks that are valid but probably not intended."""
    if campaign.callback is None:
        return
    dialled = list(accumulate(campaign.callback.retries.shortest_delays(), initial=timedelta(0)))
    in_an_hour = max(sum(start <= at < start + timedelta(hours=1) for at in dialled) for start in dialled)
    if in_an_hour > campaign.callback.max_per_hour:
        yield (
            f"{campaign.label}: callback.retries: more than max_per_hour allows, so the last ones are not "
            "made"
        )
    for i, agent in enumerate(campaign.callback.agents):
        if not is_plausible(agent.number):
            yield f"{campaign.label}: callback.agents[{i}]: {IMPLAUSIBLE_NUMBER}"
    yield from _duty_warnings(campaign, campaign.callback)


def _duty_warnings(campaign: Campaign, callback: CallbackPolicy) -> Iterator[str]:
    """Agents whose duty hours lie outside business hours, ignoring holidays."""
    if campaign.hours is None or campaign.after_hours.callback is AfterHoursCallback.SAME:
        return
    open_at = _minutes_of_week(campaign.hours)
    idle = [
        i
        for i, agent in enumerate(callback.agents)
        if agent.hours is not None and open_at.isdisjoint(_minutes_of_week(agent.hours))
    ]
    if idle and len(idle) == len(callback.agents):
        yield (
            f"{campaign.label}: callback.agents: nobody is on duty in business hours, so no callback is made"
        )
    else:
        yield from (
            f"{campaign.label}: callback.agents[{i}]: is never on duty in business hours" for i in idle
        )


def _minutes_of_week(hours: BusinessHours) -> set[int]:
    """Every open minute of a week, counted from Monday 00:00."""
    minutes = set[int]()
    for window in hours.windows:
        start, end = (each.hour * 60 + each.minute for each in (window.start, window.end))
        length = end - start + (MINUTES_A_DAY if window.crosses_midnight else 0)
        for day in window.weekdays:
            began = day * MINUTES_A_DAY + start
            minutes.update(minute % (7 * MINUTES_A_DAY) for minute in range(began, began + length))
    return minutes
