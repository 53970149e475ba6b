"""Ordinary campaigns, policies and calls for tests; each test changes what it needs."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from missedd.core.agent_rotation import Agent
from missedd.core.business_hours import BusinessHours, DailyWindow, Holidays, WeeklyWindow
from missedd.core.model import InboundCall
from missedd.core.policy import (
    AfterHoursCallback,
    AfterHoursPolicy,
    CallbackPolicy,
    Campaign,
    MessageClass,
    Policy,
    PollPolicy,
    Retries,
    SmsPolicy,
    SubscribePolicy,
    UnsubscribePolicy,
    VerifyPolicy,
    VotePolicy,
    WebhookPolicy,
)

NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""Noon in India, on a Monday."""

INDIA = "Asia/Kolkata"
CALLER, OTHER, THIRD = "+919876543210", "+919812345678", "+919800000003"
EXOPHONE, SECOND_EXOPHONE, STRANGE = "+918047120001", "+918047120002", "+918047129999"
AGENTS = ("+919800000011", "+919800000012", "+919800000013")


def ist(text: str) -> datetime:
    """`2026-11-23 09:30` in India, as a time in UTC."""
    return (datetime.fromisoformat(text) - timedelta(hours=5, minutes=30)).replace(tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def callback(**changes: Any) -> CallbackPolicy:
    """`agents` may be numbers (always on duty), and `retries` one list, as in the file."""
    values: dict[str, Any] = {
        "delay": seconds(30),
        "flow": "12345",
        "agents": (),
        "first": "agent",
        "max_per_hour": 2,
        "ring_timeout": seconds(30),
        "give_up_after": minutes(15),
        "retries": Retries(),
        "message_class": MessageClass.SERVICE,
    }
    values |= changes
    if isinstance(values["retries"], tuple):
        values["retries"] = Retries(no_answer=values["retries"], busy=values["retries"])
    agents = (each if isinstance(each, Agent) else Agent(each) for each in values["agents"])
    return CallbackPolicy(**values | {"agents": tuple(agents)})


def sms(**changes: Any) -> SmsPolicy:
    values: dict[str, Any] = {
        "sender": "EXAMPL",
        "body": "Thank you for calling.",
        "dlt_entity_id": "1101",
        "dlt_template_id": "1107",
        "message_class": MessageClass.SERVICE,
        "give_up_after": timedelta(hours=6),
    }
    return SmsPolicy(**values | changes)


OFFICE = (
    WeeklyWindow(frozenset(range(5)), time(9, 30), time(18, 30)),
    WeeklyWindow(frozenset({5}), time(10), time(14)),
)


NO_HOLIDAYS = Holidays(None, frozenset())


def office(holidays: Holidays = NO_HOLIDAYS) -> BusinessHours:
    """Monday to Friday from 09:30 to 18:30, Saturday from 10:00 to 14:00."""
    return BusinessHours(OFFICE, holidays, INDIA)


def after_hours(mode: AfterHoursCallback, text: SmsPolicy | None = None) -> AfterHoursPolicy:
    return AfterHoursPolicy(mode, text)


def campaign(**changes: Any) -> Campaign:
    """A campaign that owes nothing except what `changes` add."""
    values: dict[str, Any] = {
        "name": "admissions",
        "exophones": (EXOPHONE,),
        "dedup_window": minutes(5),
    }
    return Campaign(**values | changes)


def everything(**changes: Any) -> Campaign:
    """A campaign that owes one action of each kind."""
    return campaign(
        **{
            "callback": callback(),
            "sms": sms(),
            "lead_source": "missed_call",
            "webhook": WebhookPolicy("https://crm.example.in/missed-call"),
            "vote": VotePolicy("singer", "Asha"),
            "subscribe": SubscribePolicy("weather", "daily alerts"),
            "unsubscribe": UnsubscribePolicy("news"),
            "verify": VerifyPolicy(minutes(5), 5),
        }
        | changes
    )


def poll(name: str = "singer", **changes: Any) -> PollPolicy:
    """A poll with one vote for each number, the first one, at any time."""
    values: dict[str, Any] = {"votes_per_number": 1, "keep": "first", "opens_at": None, "closes_at": None}
    return PollPolicy(name, **values | changes)


def policy(*campaigns: Campaign, polls: tuple[PollPolicy, ...] = ()) -> Policy:
    """Polls that are not given get the usual rules."""
    given = {each.name: each for each in polls}
    voted = {each.vote.poll: poll(each.vote.poll) for each in campaigns if each.vote}
    return Policy(campaigns, DailyWindow(time(10), time(21)), INDIA, tuple((voted | given).values()))


def call(sid: str = "c1", at: datetime | None = NOON, **changes: Any) -> InboundCall:
    values: dict[str, Any] = {
        "call_sid": sid,
        "caller": CALLER,
        "dialled": (EXOPHONE,),
        "called_at": at,
        "shape": "native",
    }
    return InboundCall(**values | changes)
