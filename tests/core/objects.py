"""Objects of the API for tests that care for some of their fields only."""

from __future__ import annotations

from typing import Any

from missedd.core.api_types.base import ApiObject


def made[T: ApiObject](of: type[T], **values: Any) -> T:
    """An object with these values; all that is not said is null."""
    return of(**dict.fromkeys(of.__struct_fields__) | values)
