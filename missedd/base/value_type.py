"""Values of the hot path: frozen to the type checker, plain objects when they run.

A frozen dataclass sets each field through `object.__setattr__`. A missed call makes some sixty of them,
which is a twentieth of its whole cost, while `make check` finds every assignment to one before
anything runs. Write `@value(frozen=True, slots=True)`, as for a dataclass; elsewhere take `dataclass` itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as fast_dataclass
else:

    def fast_dataclass[T](*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """A dataclass that compares and hashes as a frozen one does."""
        assert frozen, "a value that may change is a dataclass"
        return dataclasses.dataclass(slots=slots, unsafe_hash=True)


__all__ = ["fast_dataclass"]
