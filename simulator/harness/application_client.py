"""The application's side of a timeline: requests to the daemon's API, and answers kept for later.

Texts may name people and kept answers in braces: `{asha}` is her number, `{first.body.id}` a value
of the answer that was kept as `first`. A kept answer is its `status` and its `body`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import trio

from simulator.exchange.model.people import Person
from simulator.harness.daemon_host import DaemonHost
from simulator.scenario.scenario import ScenarioError
from simulator.scenario.value_readers import PLACEHOLDER

type StoredAnswers = dict[str, Any]
"""Kept answers by their names."""


type UnexpectedAnswer = tuple[str, str]
"""What a deed expected, and what happened."""

RETRY_AFTER_S = 5.0
"""How long to wait before a daemon that is down is asked again."""


class AnswerNotStored(ScenarioError):
    """A text names an answer that nobody has kept; on a supervised stage it may yet come."""


@dataclass(frozen=True, slots=True)
class ApplicationClient:
    host: DaemonHost
    people: Mapping[str, Person]
    stored: StoredAnswers

    async def request_once(
        self, method: str, params: Mapping[str, Any], where: str
    ) -> UnexpectedAnswer | None:
        """Ask once. The surprise is another status than the one that is expected."""
        status = await self._request(method, params, where)
        wanted = params.get("status")
        if status == wanted or (wanted is None and 200 <= status < 300):
            return None
        return f"{method} {params['path']}: {wanted or 'a status of 2xx'}", f"a status of {status}"

    async def request_until_answered(self, method: str, params: Mapping[str, Any], where: str) -> None:
        """Ask until there is an answer, whatever it is: the daemon may be down for a while."""
        while True:
            try:
                status = await self._request(method, params, where)
            except (RuntimeError, AnswerNotStored):
                pass  # down now, or down when the answer that this one names would have been kept
            except ScenarioError:
                return  # it names what came out otherwise, as a crash may well have brought about
            else:
                if status < 500:
                    return
            await trio.sleep(RETRY_AFTER_S)

    async def _request(self, method: str, params: Mapping[str, Any], where: str) -> int:
        path = fill_placeholders(params["path"], self.people, self.stored, f"{where}.path", in_path=True)
        body = fill_placeholders(params.get("body"), self.people, self.stored, f"{where}.body")
        answer = await self.host.request(method, path, body)
        if "keep" in params:
            self.stored[params["keep"]] = {"status": answer.status_code, "body": response_value(answer)}
        return answer.status_code


def response_value(answer: httpx.Response) -> Any:
    """What it says: the value of a JSON, the text of anything else, None of nothing."""
    if not answer.content:
        return None
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


def fill_placeholders(
    value: Any, people: Mapping[str, Person], stored: StoredAnswers, where: str, *, in_path: bool = False
) -> Any:
    """A value with the names in its texts replaced, all the way down."""
    if isinstance(value, Mapping):
        return {key: fill_placeholders(each, people, stored, where) for key, each in value.items()}
    if isinstance(value, list):
        return [fill_placeholders(each, people, stored, where) for each in value]
    if not isinstance(value, str):
        return value

    def named(found: re.Match[str]) -> str:
        name, _, path = found[1].partition(".")
        if name in people and not path:
            text = people[name].number
        elif name in stored:
            text = str(value_at(stored[name], path, where))
        else:
            known = ", ".join([*people, *stored]) or "nothing"
            raise AnswerNotStored(f"{where}: {found[0]} names nobody and no answer; known are {known}")
        return quote(text, safe="") if in_path else text

    return PLACEHOLDER.sub(named, value)


def value_at(value: Any, path: str, where: str) -> Any:
    """One value out of an answer: `path` is dotted, a number indexes a list."""
    for step in filter(None, path.split(".")):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError) as failure:
            raise ScenarioError(f"{where}: there is no {step!r} in the answer") from failure
    return value
