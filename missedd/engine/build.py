"""Builds what every node runs: creates the parts and connects them. Nothing runs yet, and nothing waits.

engine = build_engine(settings, environment, log, store, news)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from missedd.config.loader import Settings
from missedd.core.model import Kind, Lane, StatusReport
from missedd.core.policy import Policy
from missedd.engine.cluster.cluster import Cluster
from missedd.engine.environment import Environment
from missedd.engine.intake.intake import Intake
from missedd.engine.intake.sms_applet import SmsAppletResponder
from missedd.engine.leader.leader import Leader, LeaderState
from missedd.engine.leader_link import LeaderLink
from missedd.engine.leadership.news import News
from missedd.engine.operator import Operator
from missedd.engine.poll_changes import PollChanges
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.verifications import Verifications
from missedd.log.logger import Event, Logger
from missedd.store.store import Store

REREAD_POLLS_S: Final = 1.5
"""Where nodes share the database, news may be lost, and a page is to be two seconds old at most."""


@dataclass(frozen=True, slots=True)
class Engine:
    """All parts of a node, as listeners and commands see them."""

    policy: Policy
    requests_per_minute: Mapping[Lane, int]
    """What the configuration allows the account to send, by lane."""
    store: Store
    clock_watch: ClockWatch
    link: LeaderLink
    status_reports: StatusReports
    intake: Intake
    sms_applet: SmsAppletResponder
    poll_changes: PollChanges
    operator: Operator
    verifications: Verifications
    state_elsewhere: Callable[[], LeaderState]
    """What is known of the node that leads, while this one does not."""
    cluster: Cluster | None
    """What this node knows of the others; None if it has its database alone."""

    @property
    def leader(self) -> Leader | None:
        """The leader's parts; None while another node leads."""
        return self.link.leader

    def leader_state(self) -> LeaderState:
        """What the leading node says of troubles and held lanes, whichever node leads."""
        return self.state_elsewhere() if self.leader is None else self.leader.state()

    async def health_line(self) -> str:
        """Check that the store answers, and return one line about the timers and queues."""
        await self.store.check_answers()
        return "takes in; another node leads" if self.leader is None else self.leader.health_line()

    async def apply_status_report(self, kind: str, action_id: int, report: StatusReport) -> None:
        """Record a status report of the provider about the action; `kind` is `call` or `sms`."""
        action_kind = Kind.CALLBACK if kind == "call" else Kind.SMS
        await self.status_reports.apply(action_id, action_kind, report)


def build_engine(
    settings: Settings,
    environment: Environment,
    log: Logger,
    store: Store,
    news: News,
    state_elsewhere: Callable[[], LeaderState] = LeaderState,
    cluster: Cluster | None = None,
) -> Engine:
    """Create the parts of a node and connect them. Without `cluster` it has its database alone."""
    policy, clock = settings.policy, environment.clock
    link, poll_changes = LeaderLink(news), PollChanges() if cluster is None else PollChanges(REREAD_POLLS_S)

    def log_clock_step(stepped_s: float) -> None:
        log.warning(Event.TIMER_CLOCK_STEPPED, stepped_s=round(stepped_s, 1), pending=link.timer_count())

    def on_vote(poll: str) -> None:
        poll_changes.publish(poll)
        news.publish_poll(poll)

    clock_watch = ClockWatch(clock, log_clock_step, environment.slept_s, environment.clock_steps)
    status_reports = StatusReports(store, policy, clock, log, clock_watch, link.wake)
    intake = Intake(
        store,
        policy,
        clock,
        log,
        clock_watch,
        link.wake,
        status_reports.apply_call_report,
        on_refusal=link.request_catch_up,
        on_admitted=link.count_admitted,
        on_vote=on_vote,
    )
    return Engine(
        policy=policy,
        requests_per_minute={
            Lane.VOICE: settings.exotel.calls_per_minute,
            Lane.SMS: settings.exotel.sms_per_minute,
        },
        store=store,
        clock_watch=clock_watch,
        link=link,
        status_reports=status_reports,
        intake=intake,
        sms_applet=SmsAppletResponder(
            store,
            policy,
            clock,
            log,
            intake.after_commit,
            link.request_catch_up,
            clock_watch.clock_ahead,
        ),
        poll_changes=poll_changes,
        operator=Operator(store, policy, clock, log, link.wake),
        verifications=Verifications(store, policy, clock, environment.rng, log),
        state_elsewhere=state_elsewhere,
        cluster=cluster,
    )
