"""Values of the hot path: frozen for the type checker, ordinary objects at run time.

A frozen dataclass sets each field through `object.__setattr__`. One missed call creates about sixty values,
and this would cost a twentieth of its whole time. `make check` finds every assignment to a field before
anything runs.

Write `@fast_dataclass(frozen=True, slots=True)`, as for a dataclass. Outside the hot path use `dataclass`
itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as fast_dataclass
else:

    def fast_dataclass[T](*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """A dataclass that compares and hashes like a frozen one."""
        assert frozen, "use `dataclass` for values that may change"
        return dataclasses.dataclass(slots=slots, unsafe_hash=True)


__all__ = ["fast_dataclass"]
