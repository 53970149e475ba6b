"""`python -m missedd` is the command `missedd`."""

import sys

from missedd.cli import main

sys.exit(main())
