"""Makes trio's scheduler repeatable: one seed gives one order of tasks.

Trio shuffles runnable tasks on purpose. Two private names of trio undo that. Only this module uses
them, and a test fails if a new trio renames them.
"""

from __future__ import annotations

import trio


def seed_trio_scheduler(seed: int) -> None:
    """Make the order in which trio runs its tasks depend on `seed` alone, for runs started after this."""
    run = trio._core._run
    run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # final in name only
    run._r.seed(seed)
