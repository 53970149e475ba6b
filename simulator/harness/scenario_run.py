"""What a timeline may make happen, one function a deed.

On a *supervised* stage the daemon is started again whenever it dies, as systemd would, and deeds
that need it wait for it: there a crash may come at any step, and the timeline goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import trio

from missedd.store.db.database import NotDurable, StoreRefused
from simulator.exchange.customer_app import Application, Manner, Mood
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.caller_pool import Crowd
from simulator.exchange.model.faults import Fault
from simulator.exchange.model.people import Person
from simulator.harness.application_client import Asking, Kept, Surprise
from simulator.harness.daemon_host import DaemonHost
from simulator.harness.event_parameters import change_exchange, discard, later, ring_options
from simulator.harness.operator_log import Journal
from simulator.harness.operator_requests import Wish, Wishes
from simulator.harness.stepped_clock import SteppedClock
from simulator.scenario.disk_faults import DiskFault
from simulator.scenario.scenario import Happening, Scenario, ScenarioMistake, changes_of
from simulator.scenario.schema import CHANGES
from simulator.scenario.value_readers import seconds, step

RESTART_S = 5.0
"""How long a supervisor waits before it starts a dead daemon again."""

NEED_THE_DAEMON = ("daemon", "suppress", "unsuppress", "pause", "resume", "api")

REFUSED_AT_START = (StoreRefused, NotDurable)
"""What a daemon whose disk fails says when it is started; its supervisor tries again."""


@dataclass(slots=True)
class Stage:
    """Everything a deed may touch, and a measure may look at."""

    exchange: Exchange
    host: DaemonHost
    application: Application
    clock: SteppedClock
    people: dict[str, Person]
    crowd: Crowd
    nursery: trio.Nursery
    rng: Random
    true_now: Callable[[], datetime]
    journal: Journal = field(default_factory=Journal)
    kept: Kept = field(default_factory=dict)
    surprises: list[Surprise] = field(default_factory=list)
    """Answers of the daemon's API that an `api` deed did not expect."""
    is_supervised: bool = False
    _down_s: float = RESTART_S

    async def supervise(self) -> None:
        """Start the daemon, and from now on again whenever it dies."""
        self.is_supervised = True
        self.host.on_death = self._on_death
        await self._start_after(0)

    def started_at(self) -> list[datetime]:
        """When the daemon was ready, each time, in true time."""
        now, now_s = self.true_now(), trio.current_time()
        return [now - timedelta(seconds=now_s - at_s) for at_s in self.host.started_s]

    def heal(self) -> None:
        """End every fault there is: of the exchange, the disk, the application and the clock."""
        self.exchange.faults.clear()
        self.host.disk.clear()
        self.application.heal()
        if self.clock.error:
            self.clock.error = timedelta(0)

    def _on_death(self) -> None:
        down_s, self._down_s = self._down_s, RESTART_S
        self.nursery.start_soon(self._start_after, down_s)

    async def perform(self, happening: Happening, scenario: Scenario) -> None:
        """Do one deed. Raises ScenarioMistake for parameters that cannot be."""
        where = f"{scenario.path}: {happening.key}"
        value = happening.params[happening.deed]
        self._check_the_daemon(happening.deed, value, where)
        try:
            match happening.deed:
                case "ring":
                    await self._ring(value, happening.params)
                case "crowd":
                    self._crowd(value, happening.params)
                case "redeliver":
                    self._redeliver(value, where)
                case "heartbeat":
                    self.exchange.beat(value)
                case "fault":
                    self._fault(value, happening.params)
                case "clear":
                    self.exchange.faults.clear(None if value == "all" else value)
                case "disk":
                    self._disk(value, happening.params)
                case "daemon":
                    await self._daemon(value, happening.params)
                case "clock_step":
                    self.clock.error += step(value)
                case "person":
                    self._change(value, happening.params)
                case "exchange":
                    change_exchange(self.exchange.settings, value)
                case "application":
                    self._application(value, happening.params)
                case "suppress":
                    reason = happening.params.get("reason", "asked")
                    await self._operate(self._wishes.suppress(self.people[value].number, reason))
                case "unsuppress":
                    await self._operate(self._wishes.unsuppress(self.people[value].number))
                case "pause":
                    why, lasts = happening.params.get("why", "asked"), happening.params.get("for")
                    await self._operate(self._wishes.pause(value, why, lasts))
                case "resume":
                    await self._operate(self._wishes.resume(value))
                case "api":
                    asking = Asking(self.host, self.people, self.kept)
                    if self.is_supervised:
                        self.nursery.start_soon(asking.insist, value, happening.params, where)
                    else:
                        surprise = await asking.ask(value, happening.params, where)
                        if surprise is not None:
                            expected, happened = surprise
                            self.surprises.append((f"{expected}  [{happening.key}]", happened))
                case other:
                    raise AssertionError(f"{other} is listed as a deed but cannot be done")
        except ValueError as failure:
            raise ScenarioMistake(f"{where}: {failure}") from failure
        except httpx.HTTPStatusError as refused:
            answer = refused.response
            raise ScenarioMistake(f"{where}: the daemon refuses it: {answer.text}") from refused

    def _check_the_daemon(self, deed: str, value: Any, where: str) -> None:
        """Where nobody supervises the daemon, a file must know whether it runs. Raises ScenarioMistake."""
        if deed not in NEED_THE_DAEMON or self.is_supervised or self.host.falls:
            return
        is_start = deed == "daemon" and value == "start"
        if is_start is self.host.is_up:
            raise ScenarioMistake(
                f"{where}: the daemon {'runs already' if is_start else 'is not running then'}"
            )

    @property
    def _wishes(self) -> Wishes:
        return Wishes(self.host, self.clock, self.journal, self.true_now)

    async def _operate(self, wish: Wish) -> None:
        """Have an operator ask for something; on a supervised stage they ask until it is granted."""
        if self.is_supervised:
            self.nursery.start_soon(self._wishes.insist, wish)
        else:
            await self._wishes.ask(wish)

    async def _ring(self, value: Any, params: Any) -> None:
        for name in [value] if isinstance(value, str) else value:
            person = self.people[name]
            every_s = seconds(params.get("every", 0))
            self.nursery.start_soon(
                self._rings, person, params.get("times", 1), every_s, ring_options(params)
            )

    async def _rings(self, person: Person, times: int, every_s: float, options: dict[str, Any]) -> None:
        for _ in range(times):
            self.exchange.ring_in(person, **options)
            await trio.sleep(every_s)

    def _crowd(self, count: int, params: Any) -> None:
        within_s = seconds(params.get("within", "1s"))
        for i, person in enumerate(self.crowd.people(count), 1):
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
        """Exotel posts the person's latest call again, under the same CallSid."""
        number = self.people[name].number
        rung = [each for each in self.exchange.truth.inbound if each.number == number]
        if not rung:
            if self.is_supervised:
                return  # all channels of the account were in use when they rang
            raise ScenarioMistake(f"{where}: {name} has not rung yet")
        self.exchange.ring_in(number, rung[-1].exophone, rung[-1].shape, call_sid=rung[-1].call_sid)

    def _fault(self, name: str, params: Any) -> None:
        delay = params.get("delay")
        fault = Fault(
            name,
            params.get("target", "any"),
            params.get("when", "before"),
            params.get("times"),
            params.get("probability", 1.0),
            None if delay is None else seconds(delay),
            params.get("retry_after"),
        )
        self.exchange.faults.activate(fault)
        self._after(params, lambda: discard(self.exchange.faults.active, fault))

    def _application(self, value: Any, params: Any) -> None:
        """`up`, a status that it answers with, or a `Mood`: everywhere, or at one `host`."""
        host, well = params.get("host"), Manner()
        answer = value if isinstance(value, int) else 200 if value == "up" else Mood(value)
        self.application.behave(Manner(answer, seconds(params.get("delay", 0))), host)
        self._after(params, lambda: self.application.behave(well, host))

    def _after(self, params: Any, undo: Callable[[], None]) -> None:
        if "for" in params:
            wait_s = seconds(params["for"])
            self.nursery.start_soon(later, wait_s, undo)

    def _disk(self, name: str, params: Any) -> None:
        fault = DiskFault(
            name,
            params.get("when", "before"),
            params.get("times"),
            params.get("probability", 1.0),
            seconds(params.get("delay", 5)),
        )
        active = self.host.disk.active
        active.append(fault)
        self._after(params, lambda: discard(self.host.disk.active, fault))

    async def _daemon(self, value: str, params: Any) -> None:
        down_s = seconds(params.get("down", 0))
        if self.is_supervised and value != "start" and not self.host.is_up:
            return  # it is dead already
        if value in ("stop", "restart"):
            await self.host.stop()
        if value == "crash":
            self._down_s = down_s or RESTART_S
            await self.host.crash()
        if value == "start":
            await self._start_after(0)
        elif value == "restart" or ("down" in params and not self.is_supervised):
            self.nursery.start_soon(self._start_after, down_s)

    async def _start_after(self, wait_s: float) -> None:
        await trio.sleep(wait_s)
        if self.is_supervised and self.host.is_running:
            return
        try:
            await self.host.start()
        except REFUSED_AT_START:
            if not self.is_supervised:
                raise

    def _change(self, name: str, params: Any) -> None:
        changed = replace(self.people[name], **changes_of(params, CHANGES))
        self.people[name] = self.exchange.people.add(changed)
