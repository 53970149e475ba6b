"""How a node's parts reach the leading node: by a call if this node leads, else by news to the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from missedd.engine.intake.catch_up_trigger import CatchUpTrigger
from missedd.engine.leader.leader import Leader
from missedd.engine.leadership.news import News
from missedd.store.actions.rows import Timer


class LeaderLink:
    """The leader's parts while this node leads, and the news otherwise."""

    def __init__(self, news: News) -> None:
        self.leader: Leader | None = None
        self.catch_up_trigger = CatchUpTrigger()
        """Kept over the terms: a new leader answers a request that nobody has answered yet."""
        self._news = news

    @contextmanager
    def leading(self, leader: Leader) -> Iterator[None]:
        """Reach these parts while the block runs."""
        self.leader = leader
        try:
            yield
        finally:
            self.leader = None

    def wake(self, timers: Iterable[Timer]) -> None:
        """Tell the leading node of timers that were just committed here."""
        if self.leader is not None:
            self.leader.timers.add(timers)
        else:
            self._news.wake(timers)

    def request_catch_up(self) -> None:
        """Ask the leading node for an early round of catch-up."""
        self.catch_up_trigger.request()
        if self.leader is None:
            self._news.request_catch_up()

    def count_admitted(self) -> None:
        """Count a new call for the rollups. Another node's leader finds it in the database."""
        if self.leader is not None:
            self.leader.rollups.on_admitted()

    def timer_count(self) -> int:
        """The number of timers in memory; 0 while another node leads."""
        return 0 if self.leader is None else len(self.leader.timers)
