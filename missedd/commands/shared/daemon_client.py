"""Commands that ask the running daemon, by its private API."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from missedd.base.system_errors import in_words
from missedd.commands.shared.options import FAILED, private_url, say_problems
from missedd.config.loader import ConfigProblems, Settings, load
from missedd.config.secrets import own_api_token

PATIENCE_S = 60.0
"""Releasing a million actions takes a while; anything else is answered at once."""


HEADERS = {"Missedd-By": "cli"}
"""Lets the audit record tell a command from another program that uses the API."""


class NotRunning(Exception):
    """Nobody answers at the private address; the text says where it was looked for."""


@dataclass(frozen=True, slots=True)
class Said:
    """The daemon's answer. `detail` says in words why it would not, where `is_well` is False."""

    is_well: bool
    body: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""


def with_settings(path: Path, command: Callable[[Settings], int]) -> int:
    """Run a command that needs the settings only, and say plainly where no daemon answers it."""
    try:
        return command(load(path, os.environ))
    except ConfigProblems as problems:
        return say_problems(problems)
    except NotRunning as failure:
        print(failure, file=sys.stderr)
        return FAILED


def ask(settings: Settings, path: str, body: object = None, method: str = "POST") -> Said:
    """Ask the private API to change something. Raises `NotRunning`."""
    url = private_url(settings)
    try:
        token = own_api_token(os.environ)
        headers = HEADERS if token is None else HEADERS | {"Authorization": f"Bearer {token}"}
        answer = httpx.request(
            method, url + path, json=body, headers=headers, timeout=PATIENCE_S, trust_env=False
        )
    except httpx.HTTPError as failure:
        raise NotRunning(f"the daemon cannot be reached at {url}: {in_words(failure)}") from failure
    if answer.status_code == httpx.codes.NO_CONTENT:
        return Said(True)
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return Said(False, detail=f"HTTP {answer.status_code}: is it missedd that listens there?")
    return Said(answer.is_success, said, str(said.get("detail", f"HTTP {answer.status_code}")))
