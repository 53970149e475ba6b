"""One seed, one run: trio's scheduler, made repeatable.

Trio shuffles runnable tasks on purpose. Two private names undo that; they are used here and
nowhere else, and a test fails loudly should a new trio rename them.
"""

from __future__ import annotations

import trio


def seed_trio_scheduler(seed: int) -> None:
    """Make the order in which trio runs its tasks depend on `seed` alone, for runs started after this."""
    run = trio._core._run
    run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # final in name only
    run._r.seed(seed)
