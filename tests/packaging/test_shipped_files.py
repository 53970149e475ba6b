"""What comes with the program: printed from a checkout and from a wheel; and what is installed with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from missedd.base.shipped_files import SHIPPED_FILES
from missedd.cli import main

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", SHIPPED_FILES)
def test_a_checkout_prints_each_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unit", name]) == 0
    assert capsys.readouterr().out == (ROOT / SHIPPED_FILES[name].path).read_text("utf-8")


def test_the_service_is_the_unit_and_the_example_has_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unit"]) == 0
    assert capsys.readouterr().out == (ROOT / "missedd.service").read_text("utf-8")
    assert main(["example"]) == 0
    assert capsys.readouterr().out == (ROOT / "missedd.example.toml").read_text("utf-8")
    assert main(["unit", "--list"]) == 0
    assert capsys.readouterr().out.split() == list(SHIPPED_FILES)


def test_another_name_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unit", "missed.sockets"]) == 2
    assert "did you mean missedd.socket?" in capsys.readouterr().err


def test_a_wheel_prints_the_same_files(tmp_path: Path) -> None:
    """Unpacked into a folder of its own, as an installer does, beside the packages of this environment."""
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("missedd-*.whl")
    site = tmp_path / "site"
    shutil.unpack_archive(wheel, site, "zip")
    assert any(site.glob("missedd-*.dist-info/licenses/LICENSE"))
    assert all((site / package / "py.typed").exists() for package in ("missedd", "simulator"))
    # Without the path files of this environment, which would bring the checkout in.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(site), sysconfig.get_path("purelib")))}
    code = """
import sys
from missedd.base import shipped_files as files
from pathlib import Path
from missedd.cli import main
assert Path(files.__file__).is_relative_to(sys.argv[1]), files.__file__
sys.exit(any(main(["unit", name]) for name in files.SHIPPED_FILES) or main(["example"]))
"""
    told = [sys.executable, "-S", "-c", code, str(site)]
    printed = subprocess.run(
        told, cwd=tmp_path, env=environ, check=True, capture_output=True, text=True
    ).stdout
    texts = [(ROOT / shipped.path).read_text("utf-8") for shipped in SHIPPED_FILES.values()]
    assert printed == "".join(texts) + (ROOT / "missedd.example.toml").read_text("utf-8")


def test_what_a_server_installs_is_part_of_what_is_tested() -> None:
    """The runtime lock has every package of the program, each with a version and hashes of the whole lock."""
    mine, whole = _pins(ROOT / "requirements-runtime.lock"), _pins(ROOT / "requirements.lock")
    assert {name: whole.get(name) for name in mine} == mine
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {re.split(r"[\[<>=]", each)[0] for each in project["project"]["dependencies"]}
    assert needed <= set(mine)
    assert not {"pytest", "mypy", "hatchling", "fastapi"} & set(mine)
    assert "://" not in (ROOT / "requirements-runtime.lock").read_text("utf-8")


def _pins(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Each package's version and hashes, without the marker, which says who needs it."""
    entries = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())
    pinned: dict[str, tuple[str, frozenset[str]]] = {}
    for entry in entries:
        name, _, rest = entry.partition("==")
        pinned[name] = (rest.split()[0], frozenset(re.findall(r"--hash=(\S+)", rest)))
    return pinned
