"""`python -m simulator` is `missedd-sim`."""

import sys

# An older Python has to understand this file and `__init__.py` beside it: they are all that it reads.
if sys.version_info < (3, 13):  # noqa: UP036 - who has an older one is told so, in place of a traceback
    sys.exit(
        f"missedd-sim needs Python 3.13 or newer; this is {sys.version.split()[0]} ({sys.executable}). "
        "`uv python install 3.13` brings one, and so does Debian 13; see docs/install.md."
    )

from simulator.cli import main

sys.exit(main())
