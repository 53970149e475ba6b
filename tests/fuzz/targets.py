"""What hostile bytes are let loose on, and what must hold whatever they are.

Each target takes bytes and raises for a broken promise. No socket, no clock, no event loop: what
is behind them never waits, so a coroutine runs to its end in one step. Hypothesis drives them in
the test run, a coverage-guided fuzzer by hand (`guided.py`); both begin with `tests/corpus`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from missedd.base.clock import to_iso
from missedd.config.loader import InvalidConfig, load_settings
from missedd.core.explain.call import explain_call
from missedd.core.model import InboundCall, Kind, StatusReport, Verdict
from missedd.engine.reconciliation.status_reports import interpret_report
from missedd.exotel.misdirected_requests import OtherProduct
from missedd.exotel.webhook_request import WebhookRequest
from missedd.store.actions.status_reports import apply_report
from missedd.store.admission.admit import admit
from missedd.store.admission.sms_applet import hand_over_sms, preview_sms
from missedd.store.db.group_commit import commit_group
from missedd.store.reads.calls import call_trace
from missedd.store.sqlite.inline_driver import InlineDatabase
from missedd.store.sqlite.migrate import migrate
from missedd.store.sqlite.pragmas import PRAGMAS
from missedd.web.public.app import PublicSite
from missedd.web.public.http_parser import RequestParser
from missedd.web.public.limits import ListenerLimits
from tests.core.campaigns import NOON, callback, campaign, policy, sms

CORPUS = Path(__file__).parents[1] / "corpus"
TOKEN = "t0ken"
EXPECTED = frozenset({200, 400, 404, 405, 413, 415})
EVERYTHING = policy(campaign(callback=callback(), sms=sms(body="{caller} rang at {time}.")))


class InvariantBroken(AssertionError):
    """A promise was broken; the text says which."""


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise InvariantBroken("it waited for something")


class _Log:
    def __init__(self) -> None:
        self.misplaced_count = 0

    def refused(self, status: int, place: str, why: str) -> None:
        if TOKEN in place or TOKEN in why:
            raise InvariantBroken("the token would stand in the log")

    def misdirected(self, product: OtherProduct) -> None:
        self.misplaced_count += 1

    def unavailable(self, place: str, error: Exception) -> None:
        raise InvariantBroken(f"not kept: {error!r}") from error

    def failed(self, place: str, error: Exception) -> None:
        raise InvariantBroken(f"our own mistake: {error!r}") from error


class Wire:
    """The public listener's parser, its site, and the real units of work on a database in memory."""

    def __init__(self) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(pragma)
        self._connection = connection
        self._db = InlineDatabase(connection)
        self._unit(migrate)
        self._log = _Log()
        self._site = PublicSite(TOKEN, self._admit, self._report, self, self._log, lambda: True)

    def __call__(self, data: bytes) -> None:
        """Feed one connection's bytes and answer what came of them."""
        parser = RequestParser(ListenerLimits())
        # In uneven pieces, as a network may cut them: the first byte says how.
        step = data[0] % 97 + 1 if data else 1
        for start in range(0, len(data), step * 16):
            parser.feed(data[start : start + step * 16])
        for arrived in parser.requests:
            self._answer(arrived.path, arrived.request)
        # Each input meets an empty database, so that it does the same whatever came before it.
        for table in ("reports", "attempts", "leads", "actions", "calls"):
            self._connection.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        self._connection.close()

    def _answer(self, path: str, request: WebhookRequest) -> None:
        calls, reports = self._count("calls"), self._count("reports")
        misplaced = self._log.misplaced_count
        reply = run(self._site.answer(path, request))
        new_calls, new_reports = self._count("calls") - calls, self._count("reports") - reports
        if reply.status not in EXPECTED:
            raise InvariantBroken(f"answered {reply.status}")
        if reply.status == 200 and reply.body and ("Content-Type", "text/plain") not in reply.headers:
            raise InvariantBroken("a 200 with a body would be sent to the caller")
        verdict = dict(reply.headers).get("Missedd-Verdict")
        if new_calls + new_reports > (reply.status == 200):
            raise InvariantBroken(
                f"{reply.status}, and yet {new_calls} calls and {new_reports} reports were kept"
            )
        if verdict is not None and self._count("calls") == 0 and self._log.misplaced_count == misplaced:
            raise InvariantBroken(f"{verdict}, and no call was kept")
        if new_calls:
            self._is_whole()

    def _is_whole(self) -> None:
        """The newest call can be told, and written as JSON."""
        ((sid,),) = self._connection.execute("SELECT call_sid FROM calls ORDER BY id DESC LIMIT 1").fetchall()
        told = run(call_trace(self._db, sid))
        if told is None:
            raise InvariantBroken("a call was kept that cannot be read")
        json.dumps(to_builtins(told)).encode("ascii")
        explain_call(told, NOON, "Asia/Kolkata").encode()

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _unit(self, unit: Any) -> Any:
        (result,) = run(commit_group(self._db, [unit]))
        if isinstance(result, BaseException):
            raise result
        return result

    async def _admit(self, call: InboundCall) -> Verdict:
        (admitted,) = self._unit(partial(admit, calls=[call], policy=EVERYTHING, received_at=NOON))
        to_iso(admitted.admission.called_at)
        verdict: Verdict = admitted.admission.verdict
        return verdict

    async def hand_over_sms(self, call: InboundCall) -> str:
        unit = partial(hand_over_sms, call=call, policy=EVERYTHING, now=NOON, is_client_waiting=lambda: True)
        foreseen = await self.preview_sms(call)
        text: str = self._unit(unit).text
        if text != foreseen:
            raise InvariantBroken(f"HEAD would have said {foreseen!r}, GET said {text!r}")
        return text

    async def preview_sms(self, call: InboundCall) -> str:
        return str(self._unit(partial(preview_sms, call=call, policy=EVERYTHING, now=NOON)))

    async def _report(self, kind: str, action_id: int, report: StatusReport) -> None:
        self._unit(
            partial(
                apply_report,
                action_id=action_id,
                kind=Kind.CALLBACK if kind == "call" else Kind.SMS,
                report=report,
                interpret=interpret_report,
                policy=EVERYTHING,
                now=NOON,
            )
        )


class Configuration:
    """A configuration file: it is well, or it has problems, each with its key."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "missedd.toml"

    def __call__(self, data: bytes) -> None:
        self._file.write_bytes(data)
        try:
            load_settings(self._file, {})
        except InvalidConfig as problems:
            if not problems.problems or not all(str(each).isprintable() for each in problems.problems):
                raise InvariantBroken(f"problems that cannot be shown: {problems.problems!r}") from problems


def corpus(of: str) -> list[bytes]:
    """The kept inputs of a target, in a fixed order."""
    return [each.read_bytes() for each in sorted((CORPUS / of).iterdir())]


def names(of: str) -> list[str]:
    """What they are called, in the same order."""
    return [each.stem for each in sorted((CORPUS / of).iterdir())]
