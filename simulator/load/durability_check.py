"""The durability check: asks the daemon's API whether every call that got a 2xx is in the store.

The check reads the list of calls page by page, newest first. A call that is not in the list is requested
by its CallSid before it counts as missing, so that a wrong period cannot make a call look missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import httpx

from simulator.base.os_errors import describe_error

PAGE_SIZE: Final = 1000
MAX_SINGLE_LOOKUPS: Final = 2000
"""At most this many calls are requested one by one; if more are missing, the result is clear anyway."""

TIMEOUT_S: Final = 60.0


class DurabilityCheckFailed(Exception):
    """The API did not return what it should; the text says what it returned."""


async def find_missing_calls(
    api: str,
    token: str | None,
    acknowledged: set[str],
    since: datetime,
    print_progress: Callable[[str], None],
) -> list[str]:
    """Return the CallSids of `acknowledged` that the store does not have.

    `since` is before the first of them. `token` is the API's bearer token, or None. Raises
    DurabilityCheckFailed.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    wanted = set(acknowledged)
    # The API is on a loopback address, so the environment's proxy settings do not apply.
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
        cursor: str | None = ""
        while wanted and cursor is not None:
            params = {"limit": str(PAGE_SIZE), "since": since.isoformat()}
            page = await _get_json(client, "/api/v1/calls", params | ({"cursor": cursor} if cursor else {}))
            if page is None:
                raise DurabilityCheckFailed("GET /api/v1/calls answered 404; is this the private listener?")
            wanted -= {call["call_sid"] for call in page["items"]}
            cursor = page["next"]
            print_progress(f"{len(acknowledged) - len(wanted):,} of {len(acknowledged):,} found")
        for sid in sorted(wanted)[:MAX_SINGLE_LOOKUPS]:
            if await _get_json(client, f"/api/v1/calls/{quote(sid)}", {}) is not None:
                wanted.discard(sid)
    return sorted(wanted)


async def _get_json(client: httpx.AsyncClient, path: str, params: dict[str, str]) -> Any:
    """Return the answer's JSON, or None for a 404."""
    try:
        answer = await client.get(path, params=params)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise DurabilityCheckFailed(f"GET {path}: {describe_error(error)}") from error
