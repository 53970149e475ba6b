"""Sends a timeline's requests to the daemon's API, and stores answers for later events.

Example: in a path or a body, `{asha}` is replaced by Asha's number, and `{first.body.id}` by a value
of the answer that was stored as `first`. A stored answer has a `status` and a `body`.
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
from simulator.harness.daemon_cluster import DaemonCluster
from simulator.scenario.scenario import ScenarioError
from simulator.scenario.value_readers import PLACEHOLDER

type StoredAnswers = dict[str, Any]
"""Stored answers by their names."""


type UnexpectedAnswer = tuple[str, str]
"""What an `api` event expected, and what happened."""

RETRY_AFTER_S = 5.0
"""How long to wait before a request to a daemon that is down is repeated."""


class AnswerNotStored(ScenarioError):
    """A text names an answer that is not stored. In a supervised simulation it may still come."""


@dataclass(frozen=True, slots=True)
class ApplicationClient:
    daemons: DaemonCluster
    people: Mapping[str, Person]
    stored: StoredAnswers

    async def request_once(
        self, method: str, params: Mapping[str, Any], where: str
    ) -> UnexpectedAnswer | None:
        """Send the request once. Return the mismatch if the status is not the expected one."""
        status = await self._request(method, params, where)
        wanted = params.get("status")
        if status == wanted or (wanted is None and 200 <= status < 300):
            return None
        return f"{method} {params['path']}: {wanted or 'a status of 2xx'}", f"a status of {status}"

    async def request_until_answered(self, method: str, params: Mapping[str, Any], where: str) -> None:
        """Repeat the request until any answer comes: the daemon may be down for a while."""
        while True:
            try:
                status = await self._request(method, params, where)
            except (RuntimeError, AnswerNotStored):
                pass  # the daemon is down, or was down when the answer named here should have been stored
            except ScenarioError:
                return  # the stored answer lacks the value, for example because of a crash
            else:
                if status < 500:
                    return
            await trio.sleep(RETRY_AFTER_S)

    async def _request(self, method: str, params: Mapping[str, Any], where: str) -> int:
        path = fill_placeholders(params["path"], self.people, self.stored, f"{where}.path", in_path=True)
        body = fill_placeholders(params.get("body"), self.people, self.stored, f"{where}.body")
        answer = await self.daemons.request(method, path, body)
        if "keep" in params:
            self.stored[params["keep"]] = {"status": answer.status_code, "body": response_value(answer)}
        return answer.status_code


def response_value(answer: httpx.Response) -> Any:
    """Return the parsed value of a JSON body, the text of another body, None for an empty body."""
    if not answer.content:
        return None
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


def fill_placeholders(
    value: Any, people: Mapping[str, Person], stored: StoredAnswers, where: str, *, in_path: bool = False
) -> Any:
    """Return the value with the placeholders in all its texts replaced, at any depth."""
    if isinstance(value, Mapping):
        return {key: fill_placeholders(item, people, stored, where) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_placeholders(item, people, stored, where) for item in value]
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
            raise AnswerNotStored(f"{where}: {found[0]} is neither a person nor an answer; known are {known}")
        return quote(text, safe="") if in_path else text

    return PLACEHOLDER.sub(named, value)


def value_at(value: Any, path: str, where: str) -> Any:
    """Return one value of an answer. Example of a `path`: `body.items.0.id`, where 0 indexes a list."""
    for step in filter(None, path.split(".")):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError) as failure:
            raise ScenarioError(f"{where}: there is no {step!r} in the answer") from failure
    return value
