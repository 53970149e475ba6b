"""Sets up a simulation: the exchange and the real daemon, connected to each other."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import trio
import trio.testing

from missedd.config.loader import InvalidConfig, Settings, load_settings_table
from missedd.config.store_location import PostgresqlLocation, StoreLocation
from simulator.exchange.api.httpx_transport import ExchangeTransport
from simulator.exchange.customer_app import CustomerApps
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.caller_pool import CallerPool
from simulator.exchange.model.ground_truth import GroundTruth
from simulator.exchange.model.people import Person
from simulator.exchange.model.settings import ExchangeSettings
from simulator.harness.cluster.run_database import new_database
from simulator.harness.cluster.simulated_database import SimulatedDatabase
from simulator.harness.cluster.simulated_node import SimulatedNode
from simulator.harness.cluster.standstill import FollowParents
from simulator.harness.daemon_cluster import DaemonCluster
from simulator.harness.daemon_host import MISSED_CALL_URL, PUBLIC_URL, SECRETS, DaemonHost
from simulator.harness.deterministic_scheduler import seed_trio_scheduler
from simulator.harness.faulty_disk import CrashRule, FaultyDisk, never_crash
from simulator.harness.scenario_run import Simulation
from simulator.harness.stepped_clock import SteppedClock
from simulator.scenario.scenario import PersonSpec, Scenario, ScenarioError


def daemon_settings(scenario: Scenario, folder: Path) -> Settings:
    """The scenario's settings for the daemon, completed with addresses of the simulation."""
    provided = {
        "exotel": {"account_sid": "example1", "api_base": "http://exotel.simulated"},
        "listen": {"public_url": PUBLIC_URL},
    }
    raw = {**scenario.daemon}
    for name, table in provided.items():
        given = raw.get(name, {})
        if isinstance(given, dict):  # any other value is reported by the configuration loader
            raw[name] = {**table, **given}
    try:
        settings = load_settings_table(raw, "daemon", scenario.path)
    except InvalidConfig as problems:
        raise ScenarioError(str(problems)) from problems
    return replace(settings, store=folder / "missedd.db")


type ScenarioPlayer[T] = Callable[[Scenario, Settings], Awaitable[T]]


def run_in_virtual_time[T](scenario: Scenario, play: ScenarioPlayer[T], server: str | None = None) -> T:
    """Run `play` in a temporary folder, with a clock that jumps whenever all tasks wait.

    Several daemons need a PostgreSQL: `server`, see `new_database`. Raises ScenarioError for a scenario that
    cannot be run, and NoServer.
    """
    with tempfile.TemporaryDirectory(prefix="missedd-scenario-") as folder:
        if scenario.cluster is None:
            return run_in_folder(Path(folder), scenario, play)
        if server is None:
            raise ScenarioError(f"{scenario.path}: several daemons need a PostgreSQL")
        with new_database(server) as url:
            return run_in_folder(Path(folder), scenario, play, PostgresqlLocation(url))


def run_in_folder[T](
    folder: Path, scenario: Scenario, play: ScenarioPlayer[T], store: StoreLocation | None = None
) -> T:
    """Like `run_in_virtual_time`, in a folder that the caller gives and keeps, or on the database `store`."""
    seed_trio_scheduler(scenario.seed)
    settings = daemon_settings(scenario, folder)
    if store is not None:
        settings = replace(settings, store=store)
    clock = trio.testing.MockClock(autojump_threshold=0)
    try:
        return trio.run(
            play, scenario, settings, clock=clock, restrict_keyboard_interrupt_to_checkpoints=True
        )
    except BaseExceptionGroup as group:
        # The nursery wraps the exception that ends a run in a group.
        if group.subgroup(KeyboardInterrupt):
            raise KeyboardInterrupt from None
        scenario_errors, others = group.split(ScenarioError)
        if others is not None or scenario_errors is None:
            raise
        raise _first_error(scenario_errors) from None


def _first_error(group: BaseExceptionGroup[ScenarioError]) -> ScenarioError:
    first = group.exceptions[0]
    return _first_error(first) if isinstance(first, BaseExceptionGroup) else first


@asynccontextmanager
async def open_simulation(
    scenario: Scenario, settings: Settings, crash_rule: CrashRule = never_crash
) -> AsyncIterator[Simulation]:
    """Build the simulation at the scenario's start; the daemon is not started yet.

    Everything in the simulation ends with the block.
    """
    rng = Random(scenario.seed)  # noqa: S311 - repeatable on purpose
    zero_s, start = trio.current_time(), scenario.start.astimezone(UTC)

    def true_now() -> datetime:
        return start + timedelta(seconds=trio.current_time() - zero_s)

    async with trio.open_nursery() as nursery, trio.open_nursery() as outside:
        daemons: DaemonCluster
        exchange_settings = _exchange_settings(scenario, settings)
        exchange = Exchange(outside, true_now, rng, exchange_settings, lambda webhook: daemons.post(webhook))
        key = SECRETS.signing_key
        if key is None:
            raise AssertionError("the simulation's secrets include one for webhooks")
        application = CustomerApps(true_now, key)
        database = None
        if scenario.cluster is not None:
            database = SimulatedDatabase(true_now, Random(f"database {scenario.seed}"))  # noqa: S311
            trio.lowlevel.add_instrument(FollowParents())
        hosts = []
        for number in range(1, 1 + (scenario.cluster.daemons if scenario.cluster else 1)):
            skew = scenario.cluster.skew_of(number) if scenario.cluster else timedelta(0)
            host_rng, disk_rng = (Random(rng.getrandbits(64)) for _ in range(2))  # noqa: S311 - repeatable
            hosts.append(
                DaemonHost(
                    nursery,
                    settings,
                    SteppedClock(true_now, skew),
                    host_rng,
                    ExchangeTransport(exchange),
                    application,
                    FaultyDisk(disk_rng, crash_rule),
                    None if database is None else SimulatedNode(number, database),
                )
            )
        daemons = DaemonCluster(hosts, Random(f"balancer {scenario.seed}"), settings.timezone)  # noqa: S311
        caller_pool = CallerPool(scenario.seed)
        people = {spec.name: _person(spec, caller_pool) for spec in scenario.people}
        for person in people.values():
            exchange.people.add(person)
        yield Simulation(
            exchange, daemons, application, people, caller_pool, outside, rng, true_now, database=database
        )
        outside.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


async def play_timeline(scenario: Scenario, simulation: Simulation) -> None:
    """Play the timeline, then wait until the scenario's end."""
    start = scenario.start.astimezone(UTC)
    for event in scenario.timeline:
        await sleep_until(start + event.at, simulation.true_now)
        await simulation.perform(event, scenario)
    await sleep_until(start + scenario.until, simulation.true_now)


async def sleep_until(at: datetime, now: Callable[[], datetime]) -> None:
    wait_s = (at - now()).total_seconds()
    if wait_s > 0:
        await trio.sleep(wait_s)


def build_trace(ground_truth: GroundTruth, log_text: str) -> str:
    """Everything that happened; two runs of one seed give the same text."""
    return f"{ground_truth.as_json()}\n{log_text}"


def _exchange_settings(scenario: Scenario, settings: Settings) -> ExchangeSettings:
    defaults = ExchangeSettings(
        account_sid=settings.exotel.account_sid,
        api_key=SECRETS.api_key,
        api_token=SECRETS.api_token,
        exophones=settings.policy.exophones,
        missed_call_url=MISSED_CALL_URL,
        calls_per_minute=settings.exotel.calls_per_minute,
        sms_per_minute=settings.exotel.sms_per_minute,
    )
    return replace(defaults, **scenario.exchange)


def _person(spec: PersonSpec, caller_pool: CallerPool) -> Person:
    drawn = caller_pool.draw_caller()
    return Person(spec.number or drawn.number, drawn.name, **spec.traits)
