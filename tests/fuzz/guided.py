"""Coverage-guided fuzzing by hand; atheris is no dependency of ours, so it lives in a venv of its own.

    python -m venv /some/where && /some/where/bin/pip install atheris
    PYTHONPATH=.venv/lib/python3.13/site-packages:. /some/where/bin/python -m tests.fuzz.guided wire \\
        -max_total_time=180 tests/corpus/wire

The target is `wire` or `config`; the rest is libFuzzer's. What is found to break is written to a file
that belongs into the corpus together with its repair.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path


def main() -> None:
    if importlib.util.find_spec("atheris") is None or sys.argv[1:2] not in (["wire"], ["config"]):
        sys.exit(__doc__)
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["missedd", "tomllib", "urllib", "multipart"]):
        targets = importlib.import_module("tests.fuzz.targets")
    with tempfile.TemporaryDirectory(prefix="missedd-fuzz-") as folder:
        which = sys.argv.pop(1)
        target = targets.Wire() if which == "wire" else targets.Configuration(Path(folder))
        atheris.Setup(sys.argv, target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
