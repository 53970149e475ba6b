"""News between the nodes: collected for a quarter of a second, sent in one NOTIFY, and received.

A NOTIFY holds a lock of the whole database until its commit is on the standby. In each transaction of four
nodes it made their 99th percentile 217 ms instead of 33. So it has transactions of its own, at most four a
second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

import trio

from missedd.core.cluster.news_message import MAX_POLLS, MAX_WAKES, NewsMessage, decode_news, encode_news
from missedd.core.model import Lane
from missedd.log.logger import Event, Logger
from missedd.store.actions.rows import Timer
from missedd.store.cluster.coordination import MAX_NEWS_BYTES, Coordination
from missedd.store.db.database import NotDurable

SEND_EVERY_S: Final = 0.25
RETRY_S: Final = 1.0
"""The pause before the next attempt, after news could not be sent or heard."""


class NewsReceiver(Protocol):
    """What this node does with the news of others. No method waits or fails."""

    def add_timers(self, timers: Iterable[Timer]) -> None:
        """Another node has committed these timers; of interest if this node leads."""
        ...

    def reread_due(self) -> None:
        """Another node may have committed timers that nobody named; of interest if this node leads."""
        ...

    def request_catch_up(self) -> None:
        """Another node has refused a call; of interest if this node leads."""
        ...

    def poll_changed(self, poll: str | None) -> None:
        """A poll has changed; None: each of them may have."""
        ...

    def leadership_is_vacant(self) -> None:
        """The leader has handed over."""
        ...


class ClusterNews:
    """The `News` of a node that shares its database. Start `send` and `receive` in a nursery."""

    def __init__(self, db: Coordination, log: Logger) -> None:
        self._db = db
        self._log = log
        self._node: int | None = None
        self._timers: list[Timer] = []
        self._polls: dict[str, None] = {}
        self._reread = self._catch_up = False
        self._has_news = trio.Event()

    def joined(self, node: int) -> None:
        """From now on this node has a number, and news have a sender."""
        self._node = node

    def wake(self, timers: Iterable[Timer]) -> None:
        """Tell the leading node of timers that were just committed here."""
        self._timers += timers
        if len(self._timers) > MAX_WAKES:
            self._timers.clear()
            self._reread = True
        if self._timers or self._reread:
            self._has_news.set()

    def request_catch_up(self) -> None:
        """Tell the leading node that a call was refused here."""
        self._catch_up = True
        self._has_news.set()

    def publish_poll(self, poll: str) -> None:
        """Tell all nodes that a poll has changed."""
        if len(self._polls) <= MAX_POLLS:
            self._polls[poll] = None
        self._has_news.set()

    async def announce_vacancy(self) -> None:
        """Tell the others at once that this node has handed over. Raises `NotDurable`."""
        await self._db.send_news(encode_news(NewsMessage(self._node or 0, vacant=True), MAX_NEWS_BYTES))

    async def send(self) -> None:
        """Send what was collected, for ever."""
        while True:
            await self._has_news.wait()
            message = self._take()
            try:
                await self._db.send_news(encode_news(message, MAX_NEWS_BYTES))
            except NotDurable as failure:
                self._log.log_throttled(
                    "warning", Event.CLUSTER_UNREACHABLE, "news", part="news", why=str(failure)
                )
                # It may have arrived or not. What it named is on disk.
                self._reread = self._reread or message.reread or bool(message.wakes)
                self._catch_up = self._catch_up or message.catch_up
                self._has_news.set()
                await trio.sleep(RETRY_S)
            else:
                self._log.reset_throttle(Event.CLUSTER_UNREACHABLE, "news")
                await trio.sleep(SEND_EVERY_S)

    async def receive(self, receiver: NewsReceiver) -> None:
        """Hear the other nodes, for ever; after each new connection everything is read anew."""
        while True:
            try:
                async with self._db.listen() as listener:
                    self._log.reset_throttle(Event.CLUSTER_UNREACHABLE, "listener")
                    receiver.reread_due()
                    receiver.poll_changed(None)
                    while True:
                        self._hear(decode_news(await listener.receive()), receiver)
            except NotDurable as failure:
                self._log.log_throttled(
                    "warning", Event.CLUSTER_UNREACHABLE, "listener", part="listener", why=str(failure)
                )
            await trio.sleep(RETRY_S)

    def _take(self) -> NewsMessage:
        message = NewsMessage(
            sender=self._node or 0,
            wakes=tuple((timer.at_us, timer.action_id, timer.lane.value) for timer in self._timers),
            reread=self._reread,
            polls=tuple(self._polls),
            catch_up=self._catch_up,
        )
        self._timers, self._polls = [], {}
        self._reread = self._catch_up = False
        self._has_news = trio.Event()
        return message

    def _hear(self, message: NewsMessage, receiver: NewsReceiver) -> None:
        if message.sender == self._node:
            return
        timers = [Timer(at, action, Lane(lane)) for at, action, lane in message.wakes if lane in _LANES]
        if timers:
            receiver.add_timers(timers)
        if message.reread or len(timers) < len(message.wakes):
            receiver.reread_due()
        if message.catch_up:
            receiver.request_catch_up()
        for poll in message.polls:
            receiver.poll_changed(poll)
        if message.all_polls:
            receiver.poll_changed(None)
        if message.vacant:
            receiver.leadership_is_vacant()


_LANES: Final = frozenset(lane.value for lane in Lane)
