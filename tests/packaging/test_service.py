"""The unit files: what systemd thinks of it, and that it agrees with the program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from missedd.config.listen import read_listen
from missedd.config.table import ConfigTable

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "missedd.service"
SOCKETS = {"public": ROOT / "missedd.socket", "private": ROOT / "missedd-private.socket"}
TOOL = shutil.which("systemd-analyze") or ""
NEW_IN_254 = r"Unknown key .*'(RestartSteps|RestartMaxDelaySec)'.*ignoring"
needs_systemd = pytest.mark.skipif(not TOOL, reason="systemd-analyze is not installed")


def settings_of(name: str, unit: Path = UNIT) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


@needs_systemd
def test_systemd_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    # The program is not installed where the unit expects it, so a copy names one that exists.
    text = UNIT.read_text(encoding="utf-8").replace("/opt/missedd/bin/missedd", sys.executable)
    copy = tmp_path / "missedd.service"
    copy.write_text(text, encoding="utf-8")
    sockets = [shutil.copy(each, tmp_path) for each in SOCKETS.values()]
    told = [TOOL, "verify", str(copy), *sockets]
    verdict = subprocess.run(told, capture_output=True, text=True, check=False)
    said = (verdict.stdout + verdict.stderr).splitlines()
    about_it = [line for line in said if "missedd" in line and not re.search(NEW_IN_254, line)]
    assert (verdict.returncode, about_it) == (0, [])


@needs_systemd
def test_the_unit_sandbox_is_tight() -> None:
    # The threshold is in tenths: an exposure of 1.5 of 10.
    told = [TOOL, "security", "--offline=true", "--threshold=15", "--no-pager", str(UNIT)]
    verdict = subprocess.run(told, capture_output=True, text=True, check=False)
    if re.search("Unknown (operation|command|verb)|unrecognized option", verdict.stderr):
        pytest.skip("this systemd-analyze does not look at files offline")
    assert verdict.returncode == 0, verdict.stdout[-200:] + verdict.stderr


def test_the_unit_agrees_with_the_program() -> None:
    assert settings_of("Type") == ["notify"]
    assert settings_of("StateDirectory") == ["missedd"]
    assert int(settings_of("TimeoutStopSec")[0]) > 20  # the drain's own bounds, added up
    names = [each.partition(":") for each in settings_of("LoadCredential")]
    assert [name for name, _, _ in names] == [
        "exotel_api_key",
        "exotel_api_token",
        "missedd_webhook_token",
        "missedd_webhook_secret",
        "missedd_console_password_hash",
        "missedd_api_token",
        "missedd_database_password",
    ]
    assert all(path == f"/etc/missedd/credentials/{name}" for name, _, path in names)


def test_socket_units_carry_the_names_and_addresses_that_the_program_expects() -> None:
    usual = read_listen(ConfigTable({}, "listen", "the usual", []), [])
    for name, unit in SOCKETS.items():
        assert settings_of("FileDescriptorName", unit) == [name]
        assert settings_of("ListenStream", unit) == [str(getattr(usual, name))]
        assert unit.name in settings_of("Sockets")[0].split()
        assert unit.name in settings_of("Requires")[0].split()


def test_nothing_makes_systemd_give_up_the_daemon_or_a_socket() -> None:
    for unit in (UNIT, *SOCKETS.values()):
        assert settings_of("StartLimitIntervalSec", unit) == ["0"]
    for unit in SOCKETS.values():
        assert settings_of("TriggerLimitIntervalSec", unit) == ["0"]
    assert settings_of("Restart") == ["always"]
    # A start that fails by its configuration too: each caller would start it again at once.
    assert settings_of("RestartPreventExitStatus") == []
    first_s, steps, most_s = (
        int(settings_of(key)[0]) for key in ("RestartSec", "RestartSteps", "RestartMaxDelaySec")
    )
    assert 0 < first_s < most_s < 15 - steps  # who rings meanwhile is answered in the 15 s of Exotel's
