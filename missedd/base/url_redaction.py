"""A URL as people may see it: where it leads, without what opens the door there."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_SECRET_LOOKING: Final = re.compile(r"(?=.*\d).{16,}")
"""A part of a path like this is a key rather than a word: `hooks.example/services/T012AB34CD/9fKq…`, or
`bot123456:AAF0…`: whatever stands in it beside letters and digits."""


def redact_url(url: str) -> str:
    """The URL without user, password, query and fragment; `…` stands for what looks like a key in its path.

    `https://u:p@crm.example.in/missed-call?key=1` gives `https://crm.example.in/missed-call`.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    host = parts.netloc.rpartition("@")[2]
    path = "/".join("…" if _SECRET_LOOKING.fullmatch(part) else part for part in parts.path.split("/"))
    return f"{parts.scheme}://{host}{path}"
