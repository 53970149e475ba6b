"""`python -m simulator` is `missedd-sim`."""

import sys

from simulator.cli import main

sys.exit(main())
