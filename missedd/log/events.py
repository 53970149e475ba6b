"""The vocabulary of the log: its levels, and every event that can be logged. The names are a contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, Literal

type Level = Literal["debug", "info", "warning", "error"]

LEVEL_RANKS: Final[Mapping[Level, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
"""The order of the levels, as in Python's own logging."""


class Event(StrEnum):
    """Everything that is ever logged, as `noun.past_verb`."""

    DAEMON_STARTING = "daemon.starting"
    DAEMON_STARTED = "daemon.started"
    DAEMON_NOT_RELOADED = "daemon.not_reloaded"
    DAEMON_STOPPING = "daemon.stopping"
    DAEMON_STOPPED = "daemon.stopped"
    DAEMON_FAILED = "daemon.failed"
    LIBRARY_WARNED = "library.warned"
    LOG_LINES_LOST = "log.lines_lost"
    LOG_LINES_LEFT_OUT = "log.lines_left_out"
    LOG_REPEATS_ENDED = "log.repeats_ended"
    CONFIG_WARNED = "config.warned"
    STORE_CHECKED = "store.checked"
    STORE_MENDED = "store.mended"
    STORE_UPGRADED = "store.upgraded"
    STORE_COPY_DROPPED = "store.copy_dropped"
    STORE_QUARANTINED = "store.quarantined"
    STORE_RELEASED = "store.released"
    STORE_RECOVERED = "store.recovered"
    CLUSTER_JOINED = "cluster.joined"
    CLUSTER_LEADS = "cluster.leads"
    CLUSTER_LOST = "cluster.lost"
    CLUSTER_NODE_GONE = "cluster.node_gone"
    CLUSTER_CLOCK_SKEWED = "cluster.clock_skewed"
    CLUSTER_CONFIG_DIFFERS = "cluster.config_differs"
    CLUSTER_NOT_SYNCHRONOUS = "cluster.not_synchronous"
    CLUSTER_UNREACHABLE = "cluster.unreachable"
    CALLERS_LEFT_OUT = "callers.left_out"
    STORE_COMMIT_FAILED = "store.commit_failed"
    SUMMARIES_BEHIND = "summaries.behind"
    SUMMARIES_CAUGHT_UP = "summaries.caught_up"
    NUMBERS_ERASED = "numbers.erased"
    REQUEST_FAILED = "request.failed"
    WEBHOOK_ADMITTED = "webhook.admitted"
    WEBHOOKS_ADMITTED = "webhooks.admitted"
    WEBHOOK_REFUSED = "webhook.refused"
    WEBHOOK_MISPLACED = "webhook.misplaced"
    WEBHOOKS_MISSING = "webhooks.missing"
    CALL_RECOVERED = "call.recovered"
    CALL_TOLD_EARLY = "call.told_early"
    POLL_RECOUNTED = "poll.recounted"
    REPORT_APPLIED = "report.applied"
    REPORT_IGNORED = "report.ignored"
    ACTION_HELD = "action.held"
    ACTION_CLOSED = "action.closed"
    ACTIONS_EXPIRED = "actions.expired"
    ACTION_FOUND = "action.found"
    ATTEMPT_ACCEPTED = "attempt.accepted"
    ATTEMPT_REFUSED = "attempt.refused"
    ATTEMPT_UNKNOWN = "attempt.unknown"
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_ANSWERS = "endpoint.answers"
    LOOKUP_FAILED = "lookup.failed"
    BUDGET_PAUSED = "budget.paused"
    PROVIDER_UNREACHABLE = "provider.unreachable"
    PROVIDER_REFUSES = "provider.refuses"
    PROVIDER_REACHABLE = "provider.reachable"
    OPERATOR_ACTED = "operator.acted"
    OPERATOR_LOGGED_IN = "operator.logged_in"
    LOGIN_REFUSED = "login.refused"
    VERIFICATION_STARTED = "verification.started"
    VERIFICATION_REFUSED = "verification.refused"
    TIMER_CLOCK_STEPPED = "timer.clock_stepped"


type Listener = Callable[[Event, dict[str, object]], None]
"""Receives every event with its fields, whether its line is written or not."""
