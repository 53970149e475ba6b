"""The variables of a template in India's registry (DLT), and what each may stand for.

    registered:  Pay Rs {#numeric#} by {#alphanumeric#}: {#url#}
    passes:      Pay Rs 500 by Monday: https://example.in/pay

`{#var#}` holds up to 29 characters of any kind, the others what their type says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_DOMAIN = r"(?:(?:[^\W_]|-)+\.)+[^\W\d_](?:[^\W_]|-)*"
_LINK = rf"(?i:(?:https?://)?{_DOMAIN}(?::[0-9]+)?(?:[/?#][^\s]*)?)"
_VARIABLE_PATTERNS = {
    "var": "(?s:.{0,29})",
    "numeric": "[0-9]+",
    "alphanumeric": "(?s:.{1,40})",
    "url": _LINK,
    "urlott": rf"(?:{_LINK}|[A-Za-z][A-Za-z0-9+.-]*://[^\s]+)",
    "cbn": r"\+?[0-9](?:[ -]?[0-9]){2,14}",
    "email": rf"[^\s@,;:<>()\[\]\"]+@{_DOMAIN}",
}
_LETTERS_DIGITS_BLANKS = "(?:[^\\W_]|[\u0900-\u0dff]| ){1,40}"
"""The vowel signs of Indian scripts are of their letters."""
_VARIABLE = re.compile(r"\{#([^#{}]*)#\}")


def registration_error(text: str) -> str | None:
    """Why the registry does not take a template, or None if it does."""
    found = list(_VARIABLE.finditer(text))
    for variable in found:
        if variable[1] not in _VARIABLE_PATTERNS:
            known = ", ".join(f"{{#{name}#}}" for name in _VARIABLE_PATTERNS)
            return f"has {variable[0]}, which is no type of variable; known are {known}"
    for one, other in pairwise(found):
        if one.end() == other.start() and {one[1], other[1]} != {"var"}:
            return f"has {one[0]}{other[0]}: with a type, no variable stands right behind another"
    return None


@lru_cache
def text_pattern(template: str, *, strict: bool) -> re.Pattern[str]:
    """What the texts of a registered template look like.

    Where it is `strict`, `{#alphanumeric#}` holds nothing but letters, digits and blanks.
    """
    held = {**_VARIABLE_PATTERNS, "alphanumeric": _LETTERS_DIGITS_BLANKS} if strict else _VARIABLE_PATTERNS
    # Every second part is the type of a variable.
    parts = enumerate(_VARIABLE.split(template))
    return re.compile("".join(held[part] if i % 2 else re.escape(part) for i, part in parts))
