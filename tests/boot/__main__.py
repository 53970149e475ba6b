"""missedd as systemd runs it, on a machine that is really booted: `.ci/boot` makes it and starts this.

    python -m tests.boot TREE

TREE is a Debian tree with missedd installed as docs/install.md says. Each step prints what it found; the exit
code is 1 where something is wrong, and 75 where the machine cannot be booted here.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.boot.machine import DidNotBoot, Machine
from tests.boot.steps import STEPS

CANNOT_TELL = 75
"""EX_TEMPFAIL: nothing was found out."""


def main() -> int:
    machine = Machine(Path(sys.argv[1]))
    try:
        machine.boot()
    except DidNotBoot as why:
        print(why, file=sys.stderr)
        return CANNOT_TELL
    try:
        print(machine.run("systemctl", "--version").splitlines()[0])
        for step in STEPS:
            began = time.monotonic()
            found = step(machine)
            print(
                f"{(step.__doc__ or '').splitlines()[0]} {found} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
    except DidNotBoot as why:
        print(why, file=sys.stderr)
        return CANNOT_TELL
    except BaseException:
        print(
            machine.run("journalctl", "-u", "missedd*", "-n", "60", "-o", "cat", check=False), file=sys.stderr
        )
        raise
    finally:
        machine.power_off()
    return 0


if __name__ == "__main__":
    sys.exit(main())
