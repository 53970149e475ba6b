"""Who starts it with an older Python is told so in a sentence."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
READ_FIRST = [
    *(
        ROOT / package / name
        for package in ("missedd", "simulator")
        for name in ("__init__.py", "__main__.py")
    ),
    # The version stands there, and nothing else.
    *(ROOT / "missedd" / "base" / name for name in ("__init__.py", "version.py")),
]
OLDER = [f"python3.{minor}" for minor in range(8, 13)]


@pytest.mark.parametrize("file", READ_FIRST, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_is_read_first_is_understood_by_an_older_python(file: Path) -> None:
    source = file.read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    asked = [each.lineno for each in tree.body if isinstance(each, ast.If)]
    # Nothing of ours before the version is known.
    for each in imports:
        if isinstance(each, ast.ImportFrom) and each.module == "missedd.base.version":
            continue
        ours = isinstance(each, ast.ImportFrom) or {name.name for name in each.names} != {"sys"}
        assert not ours or (asked and asked[0] < each.lineno)


@pytest.mark.parametrize("package", ["missedd", "simulator"])
def test_an_older_python_is_told_what_is_needed(package: str) -> None:
    found = 0
    for python in filter(None, map(shutil.which, OLDER)):
        told = subprocess.run(
            [python, "-m", package, "serve"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if "needs Python" not in told.stderr and not _runs(python):
            continue
        found += 1
        assert told.returncode == 1
        assert re.search(r"needs Python 3\.13 or newer; this is 3\.(8|9|10|11|12)\.", told.stderr)
        assert "Traceback" not in told.stderr
    if not found:
        pytest.skip(f"there is none of {', '.join(OLDER)} here")


def _runs(python: str) -> bool:
    """Whether there is a program behind the name: a version switch has names for what it does not have."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
