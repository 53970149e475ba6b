"""A node's connection for the cluster, on a real PostgreSQL whose time the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.postgresql_server import PostgresqlDatabase
from tests.store.cluster.inline_coordination import InlineCoordination
from tests.store.cluster.news_bus import NewsBus

NOON_US = 1_796_040_000_000_000


@dataclass
class DatabaseTime:
    """The database's clock."""

    us: int = NOON_US
    bus: NewsBus = field(default_factory=NewsBus)

    def now_us(self) -> int:
        return self.us

    def pass_s(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


@pytest.fixture
def time() -> DatabaseTime:
    return DatabaseTime()


@pytest.fixture
async def db(
    postgresql_database: PostgresqlDatabase, time: DatabaseTime
) -> AsyncIterator[InlineCoordination]:
    coordination = InlineCoordination(postgresql_database.conninfo(), time.bus, now_us=time.now_us)
    yield coordination
    await coordination.close()
