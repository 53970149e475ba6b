"""The reader's queries bound to a store: what the API and the console look through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from missedd.core.pages import Page, Query
from missedd.store import reads
from missedd.store.store import Store


class View:
    """Each method is one query on one consistent snapshot. Local hours are those of `timezone`."""

    def __init__(self, store: Store, timezone: str) -> None:
        self._store = store
        self._timezone = timezone

    async def call_story(self, call_sid: str) -> dict[str, Any] | None:
        return await self._store.read(partial(reads.call_story, call_sid=call_sid))

    async def story_of_number(self, number: str) -> list[dict[str, Any]]:
        return await self._store.read(partial(reads.story_of_number, number=number))

    async def calls(self, query: Query) -> Page:
        return await self._store.read(partial(reads.calls, query=query))

    async def actions(self, query: Query) -> Page:
        return await self._store.read(partial(reads.actions, query=query))

    async def leads(self, query: Query) -> Page:
        return await self._store.read(partial(reads.leads, query=query))

    async def suppressions(self, query: Query) -> Page:
        return await self._store.read(partial(reads.suppressions, query=query))

    async def latest_calls(self, limit: int) -> list[dict[str, Any]]:
        return await self._store.read(partial(reads.latest_calls, limit=limit))

    async def due_next(self, limit: int) -> list[dict[str, Any]]:
        return await self._store.read(partial(reads.due_next, limit=limit))

    async def campaigns(self) -> list[str]:
        return await self._store.read(reads.campaigns)

    async def gauges(self) -> Mapping[str, Any]:
        return await self._store.read(reads.gauges)

    async def figures(
        self, campaign: str | None, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        return await self._store.read(
            partial(reads.figures, campaign=campaign, since=since, until=until, timezone=self._timezone)
        )
