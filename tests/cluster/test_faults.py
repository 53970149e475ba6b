"""The cluster and its network under each fault, seen by a client that does nothing but commit.

Before a daemon is blamed: the faults are real ones, and the cluster keeps its own promise.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.cluster.cluster import Cluster, what_is_missing
from tests.cluster.committer import Committer
from tests.cluster.fault_proxy import FaultProxy, Network
from tests.cluster.faults import DATABASE_FAULTS
from tests.cluster.machine import PASSWORD


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if missing := what_is_missing():
        if os.environ.get("MISSEDD_CLUSTER") == "required":
            raise AssertionError(missing)
        pytest.skip(missing)
    with Cluster() as running:
        yield running


@pytest.mark.parametrize("name", DATABASE_FAULTS)
def test_no_acknowledged_commit_is_lost(cluster: Cluster, name: str) -> None:
    url = cluster.create_database(f"faults_{name.replace('-', '_')}")
    was = cluster.primary()
    with Committer(url) as committer:
        mend = DATABASE_FAULTS[name](cluster)
        committer.wait_for_success()
        mend()
        cluster.wait_until_whole()
    commits = committer.commits
    stored = committer.stored()
    print(
        f"{name}: {len(commits.acknowledged)} acknowledged, {len(commits.lost(stored))} lost, "
        f"pause {max(commits.pauses_s):.1f} s, without an answer {len(commits.unknown)} "
        f"({len(stored.intersection(commits.unknown))} of them stored)"
    )
    assert commits.lost(stored) == []
    # A fault that nobody notices is none. Only a standby's death leaves the primary where it was.
    assert commits.errors or name == "kill-standby"
    assert (cluster.primary() is was) == (name == "kill-standby")


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> str:
    url = cluster.create_database("network")
    with cluster.connect("network") as connection:
        connection.execute("CREATE TABLE numbers (number bigint)")
    return url.rpartition("/")[2]


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[FaultProxy]:
    with FaultProxy(cluster.primary().port) as running:
        yield running


def _through(proxy: FaultProxy, database: str) -> psycopg.Connection:
    url = f"postgresql://missedd@127.0.0.1:{proxy.port}/{database}"
    return psycopg.connect(url, password=PASSWORD, autocommit=True)


def _commit(connection: psycopg.Connection, number: int) -> None:
    connection.execute("BEGIN")
    connection.execute("INSERT INTO numbers VALUES (%s)", (number,))
    connection.execute("COMMIT")


def _is_stored(cluster: Cluster, database: str, number: int) -> bool:
    with cluster.connect(database) as connection:
        return connection.execute("SELECT 1 FROM numbers WHERE number = %s", (number,)).fetchone() is not None


def test_a_commit_whose_answer_is_lost_is_there(cluster: Cluster, database: str, proxy: FaultProxy) -> None:
    proxy.lose_commit_answers(1)
    with _through(proxy, database) as connection, pytest.raises(psycopg.OperationalError):
        _commit(connection, 1)
    assert (proxy.lost_answers.done, proxy.lost_answers.wanted) == (1, 0)
    assert _is_stored(cluster, database, 1)


def test_a_commit_that_is_lost_itself_is_not_there(
    cluster: Cluster, database: str, proxy: FaultProxy
) -> None:
    proxy.lose_commit_requests(1)
    with _through(proxy, database) as connection, pytest.raises(psycopg.OperationalError):
        _commit(connection, 2)
    assert (proxy.lost_requests.done, proxy.lost_requests.wanted) == (1, 0)
    assert not _is_stored(cluster, database, 2)


def test_refused_connections_leave_the_others_alone(
    cluster: Cluster, database: str, proxy: FaultProxy
) -> None:
    with _through(proxy, database) as connection:
        proxy.become(Network.REFUSING)
        with pytest.raises(psycopg.OperationalError, match="refused"):
            _through(proxy, database)
        _commit(connection, 3)
        proxy.become(Network.WELL)
        _through(proxy, database).close()
    assert _is_stored(cluster, database, 3)


def test_a_silent_network_delivers_late(cluster: Cluster, database: str, proxy: FaultProxy) -> None:
    with _through(proxy, database) as connection:
        proxy.become(Network.SILENT)
        waiting = threading.Thread(target=_commit, args=(connection, 4))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        assert not _is_stored(cluster, database, 4)
        proxy.become(Network.WELL)
        waiting.join()
    assert _is_stored(cluster, database, 4)


def test_what_was_silent_and_is_cut_never_arrives(cluster: Cluster, database: str, proxy: FaultProxy) -> None:
    with _through(proxy, database) as connection:
        proxy.become(Network.SILENT)
        threading.Timer(0.5, proxy.cut).start()
        with pytest.raises(psycopg.OperationalError):
            _commit(connection, 5)
    proxy.become(Network.WELL)
    assert not _is_stored(cluster, database, 5)


def test_a_slow_network_takes_its_time_in_both_directions(database: str, proxy: FaultProxy) -> None:
    with _through(proxy, database) as connection:
        proxy.delay_s = 0.2
        began = time.monotonic()
        connection.execute("SELECT 1")
        assert time.monotonic() - began >= 0.4
