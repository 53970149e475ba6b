"""Tests whose scene is a store run on a PostgreSQL in virtual time too; then they are marked `postgresql`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from missedd.config.store_location import PostgresqlLocation
from missedd.store.postgresql.writing import WritingDatabase
from tests.engine import scene
from tests.postgresql_server import PostgresqlServer
from tests.store.counted_ids import COUNTED, count_ids

KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if getattr(metafunc.module, "scene", None) is scene.scene:
        is_for_sqlite = metafunc.definition.get_closest_marker("sqlite") is not None
        metafunc.fixturenames.append("scene_database")
        metafunc.parametrize("scene_database", KINDS[:1] if is_for_sqlite else KINDS, indirect=True)


@pytest.fixture
def scene_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database of the test's scenes: by default a file in the scene's folder."""
    if request.param == "sqlite":
        yield
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    database = server.fresh_database(prepare=count_ids)
    monkeypatch.setattr(scene, "SHARED_DATABASE", PostgresqlLocation(database.url))
    monkeypatch.setattr(WritingDatabase, "engine", COUNTED)
    yield
    database.drop()
