"""A poll's result as a file that can be checked: what was counted, and a signature over it.

The signature is HMAC-SHA256, written as Standard Webhooks writes it (`v1,` and base64), over the
result without its signature in canonical JSON: keys sorted, no blanks, UTF-8, as RFC 8785 has it for
objects of texts and whole numbers. So a file may be indented or sorted anew and still be checked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missedd.base.clock import to_iso
from missedd.core.polls.tally import Tally, tally_json

FORMAT: Final = "missedd-poll-result/1"

type PollResult = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VoteDigests:
    """SHA-256, in hex, over the CallSids that count, sorted and joined by line feeds."""

    total: str
    by_option: Mapping[str, str]

    def for_option(self, option: str) -> str:
        return self.by_option.get(option, EMPTY_DIGEST)


EMPTY_DIGEST: Final = hashlib.sha256().hexdigest()
"""The digest where nobody voted."""


def poll_result_json(
    tally: Tally, numbers: int, digests: VoteDigests, options: Iterable[str], counted_at: datetime
) -> dict[str, Any]:
    """What a recount gave, to be signed; `numbers` is how many different ones voted."""
    shown = tally_json(tally, options, counted_at)
    rules = ("votes_per_number", "keep", "opens_at", "closes_at", "countries")
    return {
        "format": FORMAT,
        "poll": shown["poll"],
        "rules": {name: shown[name] for name in rules if name in shown},
        "state": shown["state"],
        "counted_at": to_iso(counted_at),
        "calls": tally.calls,
        "numbers": numbers,
        "total": shown["total"],
        "options": [each | {"digest": digests.for_option(each["option"])} for each in shown["options"]],
        "refused": shown["refused"],
        "digest": digests.total,
    }


def sign_result(result: PollResult, key: bytes) -> dict[str, Any]:
    return {**result, "signature": _signature(result, key)}


def has_valid_signature(result: PollResult, key: bytes) -> bool:
    """Whether the signature is of this key and of all that the result says."""
    said = result.get("signature")
    return isinstance(said, str) and hmac.compare_digest(said.encode(), _signature(result, key).encode())


def canonical_json(result: PollResult) -> bytes:
    """What is signed."""
    unsigned = {name: value for name, value in result.items() if name != "signature"}
    return json.dumps(unsigned, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _signature(result: PollResult, key: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, canonical_json(result), hashlib.sha256)).decode()
