"""A PostgreSQL cluster with Patroni on this machine, until Ctrl-C.

    python -m tests.cluster.up

It prints how to reach it. `patronictl` shows and changes it.
"""

from __future__ import annotations

import signal
import sys

from tests.cluster.cluster import Cluster, what_is_missing
from tests.cluster.machine import PASSWORD, PATRONI, PYTHON


def main() -> int:
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 1
    # Ended in either way, the block below must end the cluster.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Cluster() as cluster:
            print(f'url = "{cluster.create_database("missedd")}"')
            print(f"MISSEDD_DATABASE_PASSWORD={PASSWORD}")
            patronictl = f"PYTHONPATH={PATRONI} {PYTHON} {PATRONI}/bin/patronictl"
            print(f"{patronictl} -c {cluster.primary().config} list", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    raise AssertionError("only a signal ends it")


if __name__ == "__main__":
    sys.exit(main())
