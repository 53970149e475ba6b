"""Performs the events of a timeline, one method for each kind of event.

In a *supervised* simulation the daemon is restarted whenever it dies, as systemd would do, and events
that need the daemon wait for it. So a crash may come at any step, and the timeline goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import httpx
import trio

from simulator.exchange.customer_app import AppBehaviour, AppFailure, CustomerApps
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.caller_pool import CallerPool
from simulator.exchange.model.faults import Fault
from simulator.exchange.model.people import Person
from simulator.harness.application_client import ApplicationClient, StoredAnswers, UnexpectedAnswer
from simulator.harness.cluster.simulated_database import SimulatedDatabase
from simulator.harness.cluster_control import ClusterControl
from simulator.harness.daemon_cluster import DaemonCluster
from simulator.harness.event_parameters import (
    apply_exchange_settings,
    remove_if_present,
    ring_options,
    run_after,
)
from simulator.harness.faulty_disk import FaultyDisk
from simulator.harness.host_supervisor import HostSupervisor
from simulator.harness.operator_log import OperatorLog
from simulator.harness.operator_requests import OperatorClient, OperatorRequest
from simulator.harness.stepped_clock import SteppedClock
from simulator.scenario.cluster import LEADER
from simulator.scenario.disk_faults import DiskFault
from simulator.scenario.scenario import Scenario, ScenarioError, TimelineEvent, read_person_changes
from simulator.scenario.schema import CHANGEABLE_TRAITS
from simulator.scenario.value_readers import duration_s, signed_duration

CLUSTER_EVENTS = ("daemon", "clock_step", "cut", "database")
"""Events that where there are several daemons concern one of them, or the database of all."""

EVENTS_NEEDING_DAEMON = ("daemon", "suppress", "unsuppress", "pause", "resume", "api")


@dataclass(slots=True)
class Simulation:
    """Everything that an event may change and a measure may read."""

    exchange: Exchange
    daemons: DaemonCluster
    customer_apps: CustomerApps
    people: dict[str, Person]
    caller_pool: CallerPool
    nursery: trio.Nursery
    rng: Random
    true_now: Callable[[], datetime]
    operator_log: OperatorLog = field(default_factory=OperatorLog)
    stored_answers: StoredAnswers = field(default_factory=dict)
    unexpected_answers: list[UnexpectedAnswer] = field(default_factory=list)
    """Answers of the daemon's API that an `api` event did not expect."""
    is_supervised: bool = False
    database: SimulatedDatabase | None = None
    """The PostgreSQL that several daemons share."""
    supervisors: tuple[HostSupervisor, ...] = field(init=False)
    """One for each daemon, in the order of their hosts."""
    _cluster: ClusterControl | None = None

    def __post_init__(self) -> None:
        self.supervisors = tuple(HostSupervisor(host, self.nursery) for host in self.daemons.hosts)
        if self.database is not None:
            self._cluster = ClusterControl(self.supervisors, self.database, self.nursery)

    async def supervise(self) -> None:
        """Start the daemons, and restart each whenever it dies."""
        self.is_supervised = True
        for supervisor in self.supervisors:
            await supervisor.supervise()

    @property
    def clock(self) -> SteppedClock:
        """The wall clock of the first daemon, of which there mostly is no other."""
        return self.daemons.hosts[0].clock

    def start_times(self) -> list[datetime]:
        """The instants, in true time, at which the daemon became ready."""
        now, now_s = self.true_now(), trio.current_time()
        return [now - timedelta(seconds=now_s - at_s) for at_s in self.daemons.ready_times_s]

    def end_all_faults(self) -> None:
        """End all faults: of the exchange, the disk, the application and the clock."""
        self.exchange.faults.clear()
        self.customer_apps.reset_behaviour()
        if self._cluster is not None:
            self._cluster.end_all_faults()
        for host in self.daemons.hosts:
            host.disk.clear()
            if host.clock.offset:
                host.clock.offset = timedelta(0)

    async def perform(self, event: TimelineEvent, scenario: Scenario) -> None:
        """Perform one event. Raises ScenarioError for invalid parameters."""
        where = f"{scenario.path}: {event.key}"
        value = event.params[event.kind]
        if self._cluster is not None and event.kind in CLUSTER_EVENTS:
            self._cluster.perform(event.kind, value, event.params)
            return
        self._check_daemon_state(event.kind, value, where)
        try:
            match event.kind:
                case "ring":
                    await self._ring(value, event.params)
                case "crowd":
                    self._ring_crowd(value, event.params)
                case "redeliver":
                    self._redeliver(value, where)
                case "heartbeat":
                    self.exchange.send_heartbeat(value)
                case "fault":
                    self._start_fault(value, event.params)
                case "clear":
                    self.exchange.faults.clear(None if value == "all" else value)
                case "disk":
                    self._start_disk_fault(value, event.params)
                case "daemon":
                    await self.supervisors[0].control(value, event.params)
                case "clock_step":
                    self.clock.offset += signed_duration(value)
                case "person":
                    self._change_person(value, event.params)
                case "exchange":
                    apply_exchange_settings(self.exchange.settings, value)
                case "application":
                    self._change_application(value, event.params)
                case "suppress":
                    reason = event.params.get("reason", "asked")
                    await self._send_operator_request(
                        self._operator.suppress(self.people[value].number, reason)
                    )
                case "unsuppress":
                    await self._send_operator_request(self._operator.unsuppress(self.people[value].number))
                case "pause":
                    why, lasts = event.params.get("why", "asked"), event.params.get("for")
                    await self._send_operator_request(self._operator.pause(value, why, lasts))
                case "resume":
                    await self._send_operator_request(self._operator.resume(value))
                case "api":
                    await self._request_api(value, event, where)
                case other:
                    raise AssertionError(f"{other} is listed as an event but is not implemented")
        except ValueError as failure:
            raise ScenarioError(f"{where}: {failure}") from failure
        except httpx.HTTPStatusError as refused:
            answer = refused.response
            raise ScenarioError(f"{where}: the daemon refuses it: {answer.text}") from refused

    def _check_daemon_state(self, kind: str, value: Any, where: str) -> None:
        """Without supervision a scenario must know whether the daemon runs. Raises ScenarioError."""
        if kind not in EVENTS_NEEDING_DAEMON or self.is_supervised or self.daemons.unexpected_errors:
            return
        is_start = kind == "daemon" and value == "start"
        if is_start is self.daemons.is_up:
            raise ScenarioError(
                f"{where}: the daemon {'runs already' if is_start else 'is not running then'}"
            )

    @property
    def _operator(self) -> OperatorClient:
        return OperatorClient(self.daemons, self.clock, self.operator_log, self.true_now)

    async def _send_operator_request(self, request: OperatorRequest) -> None:
        """Send a request as an operator; in a supervised simulation repeat it until it is granted."""
        if self.is_supervised:
            self.nursery.start_soon(self._operator.send_until_granted, request)
        else:
            await self._operator.send_once(request)

    async def _request_api(self, method: str, event: TimelineEvent, where: str) -> None:
        client = ApplicationClient(self.daemons, self.people, self.stored_answers)
        if self.is_supervised:
            self.nursery.start_soon(client.request_until_answered, method, event.params, where)
            return
        unexpected = await client.request_once(method, event.params, where)
        if unexpected is not None:
            expected, happened = unexpected
            self.unexpected_answers.append((f"{expected}  [{event.key}]", happened))

    async def _ring(self, value: Any, params: Any) -> None:
        for name in [value] if isinstance(value, str) else value:
            person = self.people[name]
            every_s = duration_s(params.get("every", 0))
            self.nursery.start_soon(
                self._ring_repeatedly, person, params.get("times", 1), every_s, ring_options(params)
            )

    async def _ring_repeatedly(
        self, person: Person, times: int, every_s: float, options: dict[str, Any]
    ) -> None:
        for _ in range(times):
            self.exchange.ring_in(person, **options)
            await trio.sleep(every_s)

    def _ring_crowd(self, count: int, params: Any) -> None:
        within_s = duration_s(params.get("within", "1s"))
        for i, person in enumerate(self.caller_pool.draw_callers(count), 1):
            self.people[f"caller-{len(self.people) + 1}"] = person
            self.exchange.people.add(person)
            self.nursery.start_soon(
                self._ring_after,
                person,
                self.rng.uniform(0, within_s),
                ring_options(params),
                name=f"caller {i}",
            )

    async def _ring_after(self, person: Person, wait_s: float, options: dict[str, Any]) -> None:
        await trio.sleep(wait_s)
        self.exchange.ring_in(person, **options)

    def _redeliver(self, name: str, where: str) -> None:
        """Post the webhook of the person's latest call again, with the same CallSid."""
        number = self.people[name].number
        calls = [ring for ring in self.exchange.ground_truth.inbound if ring.number == number]
        if not calls:
            if self.is_supervised:
                return  # all channels of the account were in use when the person called
            raise ScenarioError(f"{where}: {name} has not called yet")
        latest = calls[-1]
        self.exchange.ring_in(number, latest.exophone, latest.shape, call_sid=latest.call_sid)

    def _start_fault(self, name: str, params: Any) -> None:
        delay = params.get("delay")
        fault = Fault(
            name,
            params.get("target", "any"),
            params.get("when", "before"),
            params.get("times"),
            params.get("probability", 1.0),
            None if delay is None else duration_s(delay),
            params.get("retry_after"),
        )
        self.exchange.faults.activate(fault)
        self._undo_later(params, lambda: remove_if_present(self.exchange.faults.active, fault))

    def _change_application(self, value: Any, params: Any) -> None:
        """`value` is `up`, a status to answer with, or an `AppFailure`: for all hosts, or for one `host`."""
        host, healthy = params.get("host"), AppBehaviour()
        answer = value if isinstance(value, int) else 200 if value == "up" else AppFailure(value)
        self.customer_apps.set_behaviour(AppBehaviour(answer, duration_s(params.get("delay", 0))), host)
        self._undo_later(params, lambda: self.customer_apps.set_behaviour(healthy, host))

    def _undo_later(self, params: Any, undo: Callable[[], None]) -> None:
        if "for" in params:
            wait_s = duration_s(params["for"])
            self.nursery.start_soon(run_after, wait_s, undo)

    def _start_disk_fault(self, name: str, params: Any) -> None:
        fault = DiskFault(
            name,
            params.get("when", "before"),
            params.get("times"),
            params.get("probability", 1.0),
            duration_s(params.get("delay", 5)),
        )
        for disk in self._disks_for(params.get("node")):
            disk.active.append(fault)
            self._undo_later(params, partial(remove_if_present, disk.active, fault))

    def _disks_for(self, node: int | str | None) -> list[FaultyDisk]:
        """The disk of a node, of the leader if there is one, or of all."""
        hosts = self.daemons.hosts
        if node == LEADER:
            return [host.disk for host in hosts if host.epoch is not None]
        return [host.disk for host in hosts] if node is None else [hosts[int(node) - 1].disk]

    def _change_person(self, name: str, params: Any) -> None:
        changed = replace(self.people[name], **read_person_changes(params, CHANGEABLE_TRAITS))
        self.people[name] = self.exchange.people.add(changed)
