"""The lease: with any delays, pauses and clocks never two nodes that trust one at the same time."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.cluster.lease import (
    LEASE_S,
    MARGIN_S,
    RENEW_EVERY_S,
    TRUSTED_S,
    Ask,
    LeadershipRow,
    Lease,
    RenewalWatch,
    next_ask,
    next_round_in_s,
)


def test_a_lease_is_trusted_from_before_it_was_asked_for() -> None:
    lease = Lease(epoch=3, asked_s=100.0)
    assert lease.is_trusted(100.0 + TRUSTED_S - 0.001)
    assert not lease.is_trusted(100.0 + TRUSTED_S)


@pytest.mark.parametrize(
    ("row", "lease", "may_lead", "ask"),
    [
        (LeadershipRow(0, None, 0, 0.0), None, True, Ask.TAKE_OVER),
        (LeadershipRow(0, None, 0, 0.0), None, False, Ask.NOTHING),
        (LeadershipRow(4, 2, 0, 3.0), None, True, Ask.NOTHING),
        (LeadershipRow(4, 2, 0, LEASE_S + 0.1), None, True, Ask.TAKE_OVER),
        (LeadershipRow(4, 2, 0, LEASE_S + 0.1), None, False, Ask.NOTHING),
        (LeadershipRow(4, 2, 0, -5.0), None, True, Ask.NOTHING),
        # The database's clock was set back by an hour, and nobody has renewed since.
        (LeadershipRow(4, 2, 0, -3600.0, watched_s=LEASE_S - 0.1), None, True, Ask.NOTHING),
        (LeadershipRow(4, 2, 0, -3600.0, watched_s=LEASE_S + 0.1), None, True, Ask.TAKE_OVER),
        (LeadershipRow(4, 1, 0, 3.0), Lease(4, 0.0), True, Ask.RENEW),
        (LeadershipRow(4, 1, 0, 3.0), Lease(4, 0.0), False, Ask.NOTHING),
        (LeadershipRow(5, 2, 0, 0.1), Lease(4, 0.0), True, Ask.NOTHING),
        # The answer to the takeover was lost: the row names this node, and the node does not know.
        (LeadershipRow(5, 1, 0, 0.1), None, True, Ask.TAKE_OVER),
    ],
)
def test_what_node_1_asks(row: LeadershipRow, lease: Lease | None, may_lead: bool, ask: Ask) -> None:
    assert next_ask(row, 1, lease, may_lead=may_lead) is ask


def test_a_node_that_takes_in_asks_again_when_the_lease_ends() -> None:
    assert next_round_in_s(LeadershipRow(1, 2, 0, 1.0), leads=False) == RENEW_EVERY_S
    assert next_round_in_s(LeadershipRow(1, 2, 0, LEASE_S - 0.5), leads=False) == pytest.approx(0.55)
    assert next_round_in_s(LeadershipRow(1, 2, 0, LEASE_S - 0.5), leads=True) == RENEW_EVERY_S
    assert next_round_in_s(LeadershipRow(1, 2, 0, LEASE_S + 1), leads=False) == RENEW_EVERY_S


@dataclass
class _Node:
    """A node that plays its rounds; each round has five waits: pause, to and from the database, twice."""

    id: int
    boot_offset_s: float
    rounds: list[tuple[float, float, float, float, float]]
    lease: Lease | None = None
    watch: RenewalWatch = field(default_factory=RenewalWatch)
    trusted: list[tuple[float, float]] = field(default_factory=list)
    """From when to when it would have sent, in real time."""


@dataclass
class _Database:
    """The leadership row, and a clock that a failover may step forward by `steps` in all."""

    steps: list[tuple[float, float]]
    epoch: int = 0
    node: int | None = None
    renewed_s: float = 0.0

    def now_s(self, real_s: float) -> float:
        return real_s + sum(by_s for at_s, by_s in self.steps if at_s <= real_s)

    def row(self, real_s: float) -> LeadershipRow:
        age_s = self.now_s(real_s) - self.renewed_s
        return LeadershipRow(self.epoch, self.node, round(self.renewed_s * 1e6), age_s)

    def carry_out(
        self, ask: Ask, row: LeadershipRow, node: int, lease: Lease | None, real_s: float
    ) -> int | None:
        as_it_was_read = (self.epoch, round(self.renewed_s * 1e6)) == (row.epoch, row.renewed_us)
        if ask is Ask.TAKE_OVER and as_it_was_read:
            self.epoch, self.node = self.epoch + 1, node
        elif not (ask is Ask.RENEW and lease and (self.node, self.epoch) == (node, lease.epoch)):
            return None
        self.renewed_s = self.now_s(real_s)
        return self.epoch


type _Trust = Callable[[float, float], float]
"""From which moment a lease counts, of when it was asked for and when the answer came."""


def _play(nodes: list[_Node], database: _Database, counts_from: _Trust) -> None:
    """Play all rounds of all nodes, in the order in which their requests reach the database."""
    waiting: list[tuple[float, int, Callable[[float], None]]] = []
    by_id = {node.id: node for node in nodes}
    serial = iter(range(10_000))

    def at(real_s: float, act: Callable[[float], None]) -> None:
        heapq.heappush(waiting, (real_s, next(serial), act))

    def begin(node: _Node, after_s: float) -> None:
        if not node.rounds:
            return
        pause, *delays = node.rounds.pop(0)
        at(after_s + pause + delays[0], lambda now_s: read(node, now_s, delays))

    def read(node: _Node, now_s: float, delays: list[float]) -> None:
        row = database.row(now_s)
        at(now_s + delays[1], lambda now_s: decide(node, row, now_s, delays))

    def decide(node: _Node, row: LeadershipRow, now_s: float, delays: list[float]) -> None:
        boot_s = now_s + node.boot_offset_s
        row = node.watch.seen(row, boot_s)
        if node.lease is not None and not node.lease.is_trusted(boot_s):
            node.lease = None
        ask = next_ask(row, node.id, node.lease, may_lead=True)
        if ask is Ask.NOTHING:
            node.lease = None
            begin(node, now_s)
        else:
            at(now_s + delays[2], lambda then_s: write(node, ask, row, now_s, then_s, delays))

    def write(
        node: _Node, ask: Ask, row: LeadershipRow, asked_s: float, now_s: float, delays: list[float]
    ) -> None:
        epoch = database.carry_out(ask, row, node.id, node.lease, now_s)
        at(now_s + delays[3], lambda now_s: answer(node, epoch, asked_s, now_s))

    def answer(node: _Node, epoch: int | None, asked_s: float, now_s: float) -> None:
        node.lease = None
        if epoch is not None:
            node.lease = Lease(epoch, counts_from(asked_s, now_s) + node.boot_offset_s)
            until_s = node.lease.trusted_until_s - node.boot_offset_s
            node.trusted.append((now_s, max(now_s, until_s)))
        begin(node, now_s)

    for node in by_id.values():
        begin(node, 0.0)
    while waiting:
        real_s, _, act = heapq.heappop(waiting)
        act(real_s)


def _overlaps(nodes: list[_Node]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    tiny_s = 1e-6  # offsets of some days cost digits
    return [
        (mine, other)
        for first, second in combinations(nodes, 2)
        for mine in first.trusted
        for other in second.trusted
        if max(mine[0], other[0]) + tiny_s < min(mine[1], other[1])
    ]


_waits = st.one_of(st.floats(0, 0.1), st.floats(0, 3), st.floats(0, 40))
_rounds = st.lists(st.tuples(_waits, _waits, _waits, _waits, _waits), max_size=12)
_offsets = st.floats(-1e5, 1e5)
_steps = st.lists(st.tuples(st.floats(0, 100), st.floats(-10, MARGIN_S * 0.99)), max_size=1)


@given(_rounds, _rounds, _rounds, _offsets, _offsets, _steps)
def test_never_two_nodes_trust_a_lease_at_the_same_time(
    one: list[tuple[float, float, float, float, float]],
    two: list[tuple[float, float, float, float, float]],
    three: list[tuple[float, float, float, float, float]],
    offset_one: float,
    offset_two: float,
    steps: list[tuple[float, float]],
) -> None:
    nodes = [_Node(1, offset_one, list(one)), _Node(2, offset_two, list(two)), _Node(3, 0.0, list(three))]
    _play(nodes, _Database(steps), counts_from=lambda asked_s, answered_s: asked_s)
    assert _overlaps(nodes) == []


def test_a_lease_that_counted_from_the_answer_would_be_trusted_by_two() -> None:
    slow_answer = _Node(1, 0.0, [(0.0, 0.0, 0.0, 0.0, 9.0)])
    other = _Node(2, 0.0, [(10.1, 0.0, 0.0, 0.0, 0.0)])
    _play([slow_answer, other], _Database([]), counts_from=lambda asked_s, answered_s: answered_s)
    assert _overlaps([slow_answer, other]) != []


def test_a_dead_leader_is_replaced_when_its_lease_has_ended() -> None:
    dead = _Node(1, 0.0, [(0.0, 0.0, 0.0, 0.0, 0.0)])
    other = _Node(2, 0.0, [(1.0, 0.0, 0.0, 0.0, 0.0), (8.0, 0.0, 0.0, 0.0, 0.0), (1.1, 0.0, 0.0, 0.0, 0.0)])
    _play([dead, other], _Database([]), counts_from=lambda asked_s, answered_s: asked_s)
    assert [begins_s for begins_s, _ in other.trusted] == [pytest.approx(10.1)]
