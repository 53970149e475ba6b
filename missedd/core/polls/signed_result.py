"""The result of a poll as a file that can be verified: the counts, and a signature over them.

The signature is HMAC-SHA256 in the format of Standard Webhooks (`v1,` and base64). It covers the result
without its signature as canonical JSON: sorted keys, no spaces, UTF-8, as RFC 8785 defines it for strings and
whole numbers. So a file can be verified even after it was indented or its keys were reordered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from missedd.base.clock import to_iso

if TYPE_CHECKING:
    from missedd.core.api_types.polls import PollJson

FORMAT: Final = "missedd-poll-result/1"

type PollResult = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VoteDigests:
    """SHA-256 in hex over the CallSids of the counted votes, sorted and joined by line feeds."""

    total: str
    by_option: Mapping[str, str]

    def for_option(self, option: str) -> str:
        return self.by_option.get(option, EMPTY_DIGEST)


EMPTY_DIGEST: Final = hashlib.sha256().hexdigest()
"""The digest of an option without votes."""


def poll_result_json(
    poll: PollJson, calls: int, numbers: int, digests: VoteDigests, counted_at: datetime
) -> dict[str, Any]:
    """The result of a recount, to be signed. `calls` is how many votes came in, `numbers` how many different
    numbers voted."""
    said = msgspec.to_builtins(poll)
    rules = ("votes_per_number", "keep", "opens_at", "closes_at", "countries")
    return {
        "format": FORMAT,
        "poll": poll.poll,
        "rules": {name: said[name] for name in rules if name in said},
        "state": poll.state,
        "counted_at": to_iso(counted_at),
        "calls": calls,
        "numbers": numbers,
        "total": poll.total,
        "options": [option | {"digest": digests.for_option(option["option"])} for option in said["options"]],
        "refused": said["refused"],
        "digest": digests.total,
    }


def sign_result(result: PollResult, key: bytes) -> dict[str, Any]:
    return {**result, "signature": _signature(result, key)}


def has_valid_signature(result: PollResult, key: bytes) -> bool:
    """Whether the signature was made with this key over exactly this result."""
    signature = result.get("signature")
    if not isinstance(signature, str):
        return False
    return hmac.compare_digest(signature.encode(), _signature(result, key).encode())


def canonical_json(result: PollResult) -> bytes:
    """The bytes that are signed."""
    unsigned = {name: value for name, value in result.items() if name != "signature"}
    return json.dumps(unsigned, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _signature(result: PollResult, key: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, canonical_json(result), hashlib.sha256)).decode()
