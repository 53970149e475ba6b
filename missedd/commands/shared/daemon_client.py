"""Commands that ask the running daemon, by its private API."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from missedd.base.system_errors import describe_error
from missedd.commands.shared.options import FAILED, print_problems, private_url
from missedd.config.loader import InvalidConfig, Settings, load_settings
from missedd.config.secrets import own_api_token

TIMEOUT_S = 60.0
"""Releasing a million actions takes a while; anything else is answered at once."""


HEADERS = {"Missedd-By": "cli"}
"""Lets the audit record tell a command from another program that uses the API."""


class DaemonNotRunning(Exception):
    """Nobody answers at the private address; the text says where it was looked for."""


@dataclass(frozen=True, slots=True)
class ApiResult:
    """The daemon's answer. `detail` says in words why it would not, where `is_ok` is False."""

    is_ok: bool
    body: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""


def run_with_settings(path: Path, command: Callable[[Settings], int]) -> int:
    """Run a command that needs the settings only, and say plainly where no daemon answers it."""
    try:
        return command(load_settings(path, os.environ))
    except InvalidConfig as problems:
        return print_problems(problems)
    except DaemonNotRunning as failure:
        print(failure, file=sys.stderr)
        return FAILED


def call_api(settings: Settings, path: str, body: object = None, method: str = "POST") -> ApiResult:
    """Ask the private API to change something. Raises `DaemonNotRunning`."""
    url = private_url(settings)
    try:
        token = own_api_token(os.environ)
        headers = HEADERS if token is None else HEADERS | {"Authorization": f"Bearer {token}"}
        answer = httpx.request(
            method, url + path, json=body, headers=headers, timeout=TIMEOUT_S, trust_env=False
        )
    except httpx.HTTPError as failure:
        raise DaemonNotRunning(
            f"the daemon cannot be reached at {url}: {describe_error(failure)}"
        ) from failure
    if answer.status_code == httpx.codes.NO_CONTENT:
        return ApiResult(True)
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return ApiResult(False, detail=f"HTTP {answer.status_code}: is it missedd that listens there?")
    return ApiResult(answer.is_success, said, str(said.get("detail", f"HTTP {answer.status_code}")))
