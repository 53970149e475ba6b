"""The version stands in a few places, and is the same in all of them."""

from __future__ import annotations

import tomllib

from missedd import __version__
from tests.docs.markdown import ROOT, page


def test_the_package_the_changelog_and_the_readme_have_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == __version__
    assert f"\n## [{__version__}] - " in page("CHANGELOG.md").text
    assert f"Release {__version__}." in page("README.md").text


def test_the_installation_names_the_wheel_of_this_version() -> None:
    assert f"`missedd-{__version__}-py3-none-any.whl`" in page("docs/install.md").text
