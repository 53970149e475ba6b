"""Problems of the configuration: each has its key and its reason, and all are reported at once."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from missedd.config.loader import InvalidConfig, load_settings
from tests.config.mistakes_in_campaigns import CAMPAIGN_MISTAKES
from tests.config.mistakes_in_messages import MESSAGE_MISTAKES
from tests.config.mistakes_in_site import SITE_MISTAKES
from tests.config.samples import CAMPAIGN, problems_of

MISTAKES = SITE_MISTAKES | CAMPAIGN_MISTAKES | MESSAGE_MISTAKES


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named(mistake: str, tmp_path: Path) -> None:
    text, key, reason, suggestion = MISTAKES[mistake]
    problems = problems_of(text, tmp_path)
    assert [each.key for each in problems] == [key], [str(each) for each in problems]
    assert reason in problems[0].reason
    assert problems[0].suggestion == suggestion
    said = str(problems[0])
    assert said.startswith(f"{tmp_path / 'missedd.toml'}: {key}: ")
    assert suggestion is None or f"did you mean {suggestion!r}?" in said


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    text = textwrap.dedent("""
        timezone = "Mars"
        campains = 1
        [listen]
        public = "nowhere"
        [[campaign]]
        name = "a"
        exophones = ["123", "+918047120001"]
        [campaign.callback]
        delay = "soon"
        [campaign.vote]
        poll = "p"
        [[campaign]]
        name = "a"
        exophones = ["08047120001"]
    """)
    assert {each.key for each in problems_of(text, tmp_path)} == {
        "timezone",
        "campains",
        "listen.public",
        "exotel.account_sid",
        'campaign "a": exophones[0]',
        'campaign "a": callback.delay',
        'campaign "a": callback.flow',
        'campaign "a": vote.option',
        'campaign "a": vote.poll',
        "campaign 2 (+918047120001): name",
        "campaign 2 (+918047120001): exophones[0]",
    }


@pytest.mark.parametrize(
    ("content", "key", "reason"),
    [
        (b"a = 1\nb = \n", "line 2, column 5", "invalid value"),
        (b"[x]\nname = admissions # ours\n", "line 2, column 8", 'text needs quotes: write name = "\u2026"'),
        (b"delay = 30s\n", "line 1, column 11", "text needs quotes: write delay = "),
        (b"open = [mon-fri 09:30-18:30]\n", "line 1, column 9", 'text needs quotes: write open = ["\u2026"]'),
        (
            "name = \u201cadmissions\u201d\n".encode(),
            "line 1, column 8",
            "\u201c is a curly quote; write straight quotes",
        ),
        (b"catch_up = False\n", "line 1, column 12", "write catch_up = false"),
        (b"[exotel\n", "line 1, column 8", "expected"),
        (b"[exotel]\n[exotel]\n", "line 2, column 8", "cannot declare"),
        (b"a = ", "end of file", "invalid value"),
        (b"a = 1\nb = '\xff'\n", "line 2", "UTF-8"),
    ],
)
def test_what_is_no_toml(content: bytes, key: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "missedd.toml"
    file.write_bytes(content)
    with pytest.raises(InvalidConfig) as caught:
        load_settings(file, {})
    (problem,) = caught.value.problems
    assert problem.key == key
    assert reason in problem.reason


def test_no_file_and_no_readable_file(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "absent.toml", "no such file"), (tmp_path, "cannot be read")):
        with pytest.raises(InvalidConfig, match=reason) as caught:
            load_settings(path, {})
        (problem,) = caught.value.problems
        assert problem.key == ""
        assert str(problem).startswith(f"{path}: ")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "missedd.toml").write_bytes(b"\xef\xbb\xbf" + CAMPAIGN.encode())
    assert load_settings(tmp_path / "missedd.toml", {}).exotel.account_sid == "example1"
