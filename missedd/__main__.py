"""`python -m missedd` is the command `missedd`."""

import sys

# An older Python has to understand this file, `__init__.py` beside it and base/version.py: it reads no more.
if sys.version_info < (3, 13):  # noqa: UP036 - who has an older one is told so, in place of a traceback
    sys.exit(
        f"missedd needs Python 3.13 or newer; this is {sys.version.split()[0]} ({sys.executable}). "
        "`uv python install 3.13` brings one, and so does Debian 13; see docs/install.md."
    )

from missedd.cli import main

sys.exit(main())
