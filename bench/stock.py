"""A database with a past and a future: calls that are done with, and callbacks that are still owed.

Written by SQL into a file that a daemon has made, as millions by way of the daemon would take all
day. Sids and numbers come in no order, as in life: an index that only grows at its end is cheap.
"""

from __future__ import annotations

import signal
import sqlite3
import time
from typing import Final

from bench.rig import Server, settle
from tests.real.daemon import Daemon

PAST_S: Final = 30 * 86_400
"""The calls of the past are spread over a month."""

SOONEST_S: Final = 600
LATEST_S: Final = 3300
"""When what is owed falls due: later than any part lasts, and within the hour that timers hold."""

_CALLS: Final = """
INSERT INTO calls
    (id, call_sid, campaign, caller, exophone, called_at, received_at, verdict, reason, shape, fields)
SELECT i, printf('%016x%016x', (i * 2654435761) % 4294967291, i * 7919), 'shop',
       '+91' || (6000000000 + (i * 2654435761) % 4000000000), '+918047120001',
       called_at, called_at, 'accepted', 'first-call', 'native', :fields FROM n"""
_ACTIONS: Final = """
INSERT INTO actions (id, call_id, kind, campaign, number, exophone, state, outcome, reason, plan, base_at,
                     due_at, expires_at, wake_at, placed_at, created_at, closed_at)
SELECT i, i, 'callback', 'shop', '+91' || (6000000000 + (i * 2654435761) % 4000000000), '+918047120001',
       iif(:is_past, 'done', 'planned'), iif(:is_past, 'answered', NULL), 'owed', 'open', called_at,
       due_at, due_at + 10800000000, iif(:is_past, NULL, due_at), iif(:is_past, due_at, NULL), called_at,
       iif(:is_past, due_at, NULL) FROM n"""
_COUNTED: Final = """
WITH RECURSIVE n (i, called_at, due_at) AS (
    VALUES (:first, :called_at, :due_at)
    UNION ALL SELECT i + 1, called_at + :called_step, due_at + :due_step FROM n WHERE i < :last)"""
_FIELDS: Final = (
    '{"CallSid":"0123456789abcdef0123456789abcdef","From":"+919876543210","To":"+918047120001",'
    '"Status":"missed-call","DateCreated":"2026-11-23 11:30:00"}'
)


def stock(daemon: Daemon, *, past: int = 0, pending: int = 0) -> None:
    """Let the daemon make its database, fill it, and let the daemon read what it wants of its past.

    It is not running afterwards.
    """
    _run(daemon)
    _fill(daemon, past, pending)
    _run(daemon)


def _run(daemon: Daemon) -> None:
    daemon.start()
    if daemon.running is None:
        raise AssertionError("started without a process")
    settle(Server(daemon.running.pid, daemon.public_port))
    if daemon.signal(signal.SIGTERM):
        raise RuntimeError("the daemon did not stop well")


def _fill(daemon: Daemon, past: int, pending: int) -> None:
    now_us = time.time_ns() // 1000
    connection = sqlite3.connect(daemon.config.with_name("missedd.db"), isolation_level=None)
    for pragma in ("synchronous = OFF", "cache_size = -1000000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    if past:
        step_us = PAST_S * 1_000_000 // past
        began_us = now_us - PAST_S * 1_000_000
        _insert(connection, 1, past, began_us, step_us, began_us + 60_000_000, step_us, is_past=True)
    if pending:
        step_us = (LATEST_S - SOONEST_S) * 1_000_000 // pending
        soonest_us = now_us + SOONEST_S * 1_000_000
        _insert(connection, past + 1, past + pending, now_us, 0, soonest_us, step_us, is_past=False)
    connection.execute("COMMIT")
    connection.close()


def _insert(
    connection: sqlite3.Connection,
    first: int,
    last: int,
    called_us: int,
    called_step_us: int,
    due_us: int,
    due_step_us: int,
    *,
    is_past: bool,
) -> None:
    given = {
        "first": first,
        "last": last,
        "called_at": called_us,
        "called_step": called_step_us,
        "due_at": due_us,
        "due_step": due_step_us,
        "is_past": is_past,
        "fields": _FIELDS,
    }
    for insert in (_CALLS, _ACTIONS):
        connection.execute(_COUNTED + insert, given)
