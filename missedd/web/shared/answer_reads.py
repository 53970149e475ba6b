"""What the answers to an operator's changes read of the store."""

from __future__ import annotations

from datetime import datetime

from missedd.core.api_types.leads import LeadJson
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.core.explain.erasure_refusal import ErasureBlocker
from missedd.core.pagination import Page, Query
from missedd.core.people.erasure import ErasureRefusal
from missedd.store.reads import reader
from missedd.store.reads.reader import StoreReader


class StoredAnswers:
    """The reads that `missedd.operator_actions` asks for."""

    def __init__(self, read: StoreReader) -> None:
        self._read = read

    async def suppressions(self, query: Query) -> Page[SuppressionJson]:
        return await self._read(reader.suppressions, query)

    async def erasure_blocker(self, number: str, why: ErasureRefusal, at: datetime) -> ErasureBlocker | None:
        return await self._read(reader.erasure_blocker, number, why, at)

    async def lead(self, lead_id: int) -> LeadJson | None:
        return await self._read(reader.lead, lead_id)
