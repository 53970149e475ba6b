"""A URL for people to see: where it leads, without its secrets."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_SECRET_LOOKING: Final = re.compile(r"(?=.*\d).{16,}")
"""A part of a path that is a key and not a word: at least 16 characters with a digit, as in
`hooks.example/services/T012AB34CD/9fKq…` or `bot123456:AAF0…`."""


def redact_url(url: str) -> str:
    """The URL without user, password, query and fragment; `…` replaces parts of its path that look like keys.

    `https://u:p@crm.example.in/missed-call?key=1` gives `https://crm.example.in/missed-call`.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    host = parts.netloc.rpartition("@")[2]
    path = "/".join("…" if _SECRET_LOOKING.fullmatch(part) else part for part in parts.path.split("/"))
    return f"{parts.scheme}://{host}{path}"
