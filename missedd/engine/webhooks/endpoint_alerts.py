"""Alerts about applications that do not accept webhooks for five minutes.

An application's restart takes about a minute, and its webhooks are retried, so that needs no person. A
longer failure is a trouble with the address and the cause, until the application accepts a webhook.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from missedd.base.clock import Clock, to_iso
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.webhooks.endpoint_queues import Endpoint
from missedd.exotel.network_errors import (
    CONNECTION_REFUSED,
    NAME_NOT_RESOLVED,
    NO_ANSWER_IN_TIME,
    NO_CONNECTION_IN_TIME,
    UNREACHABLE,
)
from missedd.exotel.request_result import Accepted, Answer
from missedd.log.logger import Event, Logger

TROUBLE_AFTER_S: Final = 300.0

_REMEDIES: Final = {
    NAME_NOT_RESOLVED.code: "correct the host in the url of [campaign.webhook], or the DNS of this machine",
    CONNECTION_REFUSED.code: "start the application, or correct the port in the url of [campaign.webhook]",
    UNREACHABLE.code: "check the network between this machine and the application",
    NO_CONNECTION_IN_TIME.code: "check the application's machine, and the firewalls in front of it",
    NO_ANSWER_IN_TIME.code: "check the application: it accepts connections but does not answer requests",
    "tls-failed": "correct the application's certificate, or the url of [campaign.webhook]",
    "401": "correct the application's access, or the url of [campaign.webhook]",
    "403": "correct the application's access, or the url of [campaign.webhook]",
    "404": "correct the path in the url of [campaign.webhook]",
    "410": "remove [campaign.webhook]: the application answers that it wants no more webhooks",
}
_CHECK_ITS_LOG: Final = "check the application's own log"


class EndpointTroubles:
    """Watches the answers of all endpoints, and reports those that fail for long."""

    def __init__(self, troubles: ActiveTroubles, clock: Clock, log: Logger) -> None:
        self._troubles = troubles
        self._clock = clock
        self._log = log
        self._not_reported: list[Endpoint] = []

    def record_answer(self, endpoint: Endpoint, answer: Answer) -> None:
        """Record how a request to an address ended."""
        if isinstance(answer, Accepted):
            self._end_trouble(endpoint)
            return
        endpoint.failure_count += 1
        endpoint.last_failure = answer
        if endpoint.failing_since is None:
            endpoint.failing_since, endpoint.failing_since_s = self._clock.now(), trio.current_time()
            self._not_reported.append(endpoint)
        elif endpoint not in self._not_reported:
            self._raise_trouble(endpoint)

    @property
    def next_check_at_s(self) -> float:
        """When to `check` next, by trio's clock; infinity if nothing fails unreported."""
        return min(
            (endpoint.failing_since_s + TROUBLE_AFTER_S for endpoint in self._not_reported), default=math.inf
        )

    def check(self) -> None:
        """Report the endpoints that have failed for `TROUBLE_AFTER_S` seconds."""
        now_s = trio.current_time()
        for endpoint in [
            each for each in self._not_reported if now_s >= each.failing_since_s + TROUBLE_AFTER_S
        ]:
            self._not_reported.remove(endpoint)
            self._raise_trouble(endpoint)
            self._log.error(
                Event.ENDPOINT_FAILING,
                url=endpoint.shown_url,
                code=endpoint.last_failure.code if endpoint.last_failure else None,
                failures=endpoint.failure_count,
                since=to_iso(endpoint.failing_since or self._clock.now()),
            )

    def _raise_trouble(self, endpoint: Endpoint) -> None:
        failure, now = endpoint.last_failure, self._clock.now()
        if failure is None:
            raise AssertionError(f"{endpoint.shown_url} fails without a failure")
        self._troubles.record(
            TroubleKind.WEBHOOK_FAILING,
            endpoint.shown_url,
            f"The application takes no webhook: {failure.message}",
            _REMEDIES.get(failure.code, _CHECK_ITS_LOG),
            now,
            since=endpoint.failing_since,
            tries=endpoint.failure_count,
        )

    def _end_trouble(self, endpoint: Endpoint) -> None:
        if endpoint.failing_since is None:
            return
        if endpoint in self._not_reported:
            self._not_reported.remove(endpoint)
        else:
            self._troubles.resolve(TroubleKind.WEBHOOK_FAILING, endpoint.shown_url)
            self._log.info(Event.ENDPOINT_ANSWERS, url=endpoint.shown_url, failures=endpoint.failure_count)
        endpoint.failing_since, endpoint.failure_count, endpoint.last_failure = None, 0, None
