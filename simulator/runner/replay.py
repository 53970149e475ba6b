"""Replays a scenario: the real daemon and the exchange in one virtual time.

`replay` runs the timeline, waits until the scenario's end, measures, and holds the expectations
against the exchange's truth and the daemon's API. The same file gives the same run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import trio
import trio.testing

from missedd.config import ConfigProblems, Settings, load_table
from simulator.application import Application
from simulator.crowd import Crowd
from simulator.determinism import seed_scheduler
from simulator.exchange import Exchange
from simulator.memory import ExchangeTransport
from simulator.people import Person
from simulator.runner.checks import Failure, check
from simulator.runner.host import MISSED_CALL_URL, PUBLIC_URL, SECRETS, DaemonHost, SteppedClock
from simulator.runner.stage import Stage, change_exchange
from simulator.scenario import PersonSpec, Scenario, ScenarioMistake
from simulator.settings import ExchangeSettings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay showed. `simulated` and `took_s` tell how much time it covered, and used."""

    scenario: Scenario
    failures: tuple[Failure, ...]
    checked: int
    simulated: timedelta
    took_s: float
    log_text: str
    trace: str
    """Everything that happened, in a form that two runs of one seed share to the letter."""

    @property
    def passed(self) -> bool:
        return not self.failures


def settings_of(scenario: Scenario, folder: Path) -> Settings:
    """The daemon's settings: the scenario's own, and addresses that lead to the simulation."""
    provided = {
        "exotel": {"account_sid": "example1", "api_base": "http://exotel.simulated"},
        "listen": {"public_url": PUBLIC_URL},
    }
    raw = {**scenario.daemon}
    for name, table in provided.items():
        raw[name] = {**table, **raw.get(name, {})}
    try:
        settings = load_table(raw, "daemon", scenario.path)
    except ConfigProblems as problems:
        raise ScenarioMistake(str(problems)) from problems
    return replace(settings, store_path=folder / "missedd.db")


def replay(scenario: Scenario) -> Outcome:
    """Run one scenario from its start to its end. Raises ScenarioMistake for what cannot be run."""
    seed_scheduler(scenario.seed)
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="missedd-scenario-") as folder:
        settings = settings_of(scenario, Path(folder))
        clock = trio.testing.MockClock(autojump_threshold=0)
        try:
            outcome = trio.run(_replay, scenario, settings, clock=clock)
        except ExceptionGroup as group:
            # A mistake in a timeline surfaces inside the nursery that everything runs in.
            mistakes, others = group.split(ScenarioMistake)
            if others is not None or mistakes is None:
                raise
            raise _first(mistakes) from None
    return replace(outcome, took_s=time.perf_counter() - began_s)


def _first(group: ExceptionGroup[ScenarioMistake]) -> ScenarioMistake:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


async def _replay(scenario: Scenario, settings: Settings) -> Outcome:
    rng = Random(scenario.seed)  # noqa: S311 - repeatable on purpose
    zero_s, start = trio.current_time(), scenario.start.astimezone(UTC)

    def true_now() -> datetime:
        return start + timedelta(seconds=trio.current_time() - zero_s)

    clock = SteppedClock(true_now)
    async with trio.open_nursery() as nursery:
        exchange, host, application = _stage(nursery, scenario, settings, clock, true_now, rng)
        crowd = Crowd(scenario.seed)
        people = {spec.name: _person(spec, crowd) for spec in scenario.people}
        for person in people.values():
            exchange.people.add(person)
        await host.start()
        stage = Stage(exchange, host, application, clock, people, crowd, nursery, rng)
        for happening in scenario.timeline:
            await _sleep_until(start + happening.at, true_now)
            await stage.perform(happening, scenario)
        await _sleep_until(start + scenario.until, true_now)
        if not host.is_up:
            await host.start()
        failures = await check(scenario, stage)
        trace = _trace(exchange, host)
        await host.stop()
        nursery.cancel_scope.cancel()
    return Outcome(
        scenario,
        tuple(failures),
        len(scenario.expectations),
        scenario.until,
        0.0,
        host.log_text,
        trace,
    )


def _stage(
    nursery: trio.Nursery,
    scenario: Scenario,
    settings: Settings,
    clock: SteppedClock,
    true_now: Callable[[], datetime],
    rng: Random,
) -> tuple[Exchange, DaemonHost, Application]:
    """The exchange and the daemon, each holding the other's end of the line."""
    host: DaemonHost
    exophones = tuple(number for each in settings.policy.campaigns for number in each.exophones)
    exchange_settings = ExchangeSettings(
        account_sid=settings.exotel.account_sid,
        api_key=SECRETS.api_key,
        api_token=SECRETS.api_token,
        exophones=exophones,
        missed_call_url=MISSED_CALL_URL,
        calls_per_minute=settings.exotel.calls_per_minute,
        sms_per_minute=settings.exotel.sms_per_minute,
    )
    change_exchange(exchange_settings, scenario.exchange, f"{scenario.path}: exchange")
    exchange = Exchange(nursery, true_now, rng, exchange_settings, lambda webhook: host.post(webhook))
    key = SECRETS.signing_key
    if key is None:
        raise AssertionError("the simulation's secrets include one for webhooks")
    application = Application(true_now, key)
    host = DaemonHost(
        nursery,
        settings,
        clock,
        Random(rng.getrandbits(64)),  # noqa: S311 - repeatable on purpose
        ExchangeTransport(exchange),
        application,
    )
    return exchange, host, application


def _person(spec: PersonSpec, crowd: Crowd) -> Person:
    drawn = crowd.person()
    return Person(
        number=spec.number or drawn.number,
        name=drawn.name,
        answers=spec.answers if len(spec.answers) > 1 else spec.answers[0],
        sms=spec.sms,
        ring_s=spec.ring_s,
        talks_s=spec.talks_s,
        dnd=spec.dnd,
    )


async def _sleep_until(at: datetime, now: Callable[[], datetime]) -> None:
    wait_s = (at - now()).total_seconds()
    if wait_s > 0:
        await trio.sleep(wait_s)


def _trace(exchange: Exchange, host: DaemonHost) -> str:
    return f"{exchange.truth.as_json()}\n{host.log_text}"
