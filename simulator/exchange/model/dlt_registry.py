"""India's registry of texts (DLT), and with which code an operator turns a text away.

A text is the registered one, character for character, but for its variables
(`simulator.exchange.model.dlt_variables`).
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.exchange.model.dlt_variables import text_pattern
from simulator.exchange.model.settings import DltTemplate

ENTITY_NOT_FOUND, ID_INVALID, NOT_FOUND, DOES_NOT_MATCH = 23281, 23181, 23182, 23185


def dlt_rejection_code(
    templates: Iterable[DltTemplate], entity_id: str, template_id: str, body: str, *, strict: bool = False
) -> int | None:
    """The code with which the operator turns the text away, or None if it may pass.

    Where it is `strict`, `{#alphanumeric#}` holds nothing but letters, digits and blanks.
    """
    registered = tuple(templates)
    if entity_id not in [template.entity_id for template in registered]:
        return ENTITY_NOT_FOUND
    if not template_id.isdigit():
        return ID_INVALID
    texts = [t for t in registered if (t.entity_id, t.template_id) == (entity_id, template_id)]
    return applet_rejection_code(texts, body, strict=strict) if texts else NOT_FOUND


def applet_rejection_code(templates: Iterable[DltTemplate], body: str, *, strict: bool = False) -> int | None:
    """Of a text that names no template: the ids are the dashboard's, so any registered text will do."""
    passes = any(text_pattern(template.text, strict=strict).fullmatch(body) for template in templates)
    return None if passes else DOES_NOT_MATCH
