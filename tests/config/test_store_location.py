"""`[store]` and `[node]`: a file or a PostgreSQL, a password that nothing shows, and what nodes share."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from missedd.base.shipped_files import EXAMPLE, read_shipped_file
from missedd.config.loader import InvalidConfig, PostgresqlLocation, load_config
from missedd.config.node import FINGERPRINT_LENGTH
from tests.config.samples import CAMPAIGN, problems_of, read
from tests.config.test_secrets import ENVIRON

URL = "postgresql://missedd@h1,h2,h3:5432/missedd"
PASSWORD = "hunter2"

USABLE_URLS = [
    URL,
    "postgres://h1/missedd",
    "postgresql:///missedd",
    "postgresql://h1:5433,[::1]:5434/missedd?sslmode=verify-full&connect_timeout=3",
    "postgresql://missedd@/missedd?host=/run/postgresql&port=5433",
    "postgresql://h1?dbname=missedd&target_session_attrs=primary",
    "postgresql://a%40b@h1/missedd?passfile=/etc/missedd/pgpass",
]

# Mistakes: the URL, a part of the reason, the suggestion.
MISTAKES: dict[str, tuple[str, str, str | None]] = {
    "password": (f"postgresql://missedd:{PASSWORD}@h1/missedd", "MISSEDD_DATABASE_PASSWORD", None),
    "password with a slash": (f"postgresql://missedd:{PASSWORD}/x@h1/missedd", "contains a password", None),
    "password with an @": (f"postgresql://missedd:{PASSWORD}@x@h1/missedd", "contains a password", None),
    "password with a question mark": (f"postgresql://missedd:{PASSWORD}?x@h1/d", "contains a password", None),
    "password as an option": (f"postgresql://h1/missedd?password={PASSWORD}", "contains a password", None),
    "password of a key": (f"postgresql://h1/missedd?sslpassword={PASSWORD}", "contains a password", None),
    "password without a host": (f"postgresql://missedd:{PASSWORD}", "names no database", None),
    "other scheme": (f"mysql://missedd:{PASSWORD}@h1/missedd", "must be the URL of a PostgreSQL", None),
    "like the scheme": (f"postgressql://x:{PASSWORD}@h1/missedd", "must be the URL", "postgresql://"),
    "no scheme": (f"missedd:{PASSWORD}@h1/missedd", "must be the URL of a PostgreSQL", None),
    "no database": ("postgresql://h1,h2", "names no database", None),
    "no name of a database": ("postgresql://h1,h2/", "names no database", None),
    "port is a word": (f"postgresql://h1:{PASSWORD}/missedd", "port that is not a whole number", None),
    "port is too large": ("postgresql://h1:5432,h2:65536/missedd", "port number 2 that is not", None),
    "port is zero": ("postgresql://h1:0/missedd", "from 1 to 65535", None),
    "port is empty": ("postgresql://h1:/missedd", "a port after its colon", None),
    "port as an option": ("postgresql://h1/missedd?port=x", "port number 2 that is not", None),
    "IPv6 without brackets": ("postgresql://::1/missedd", "a host without a name", None),
    "unknown option": ("postgresql://h1/missedd?sslmod=require", "an option that", "sslmode"),
    "option without a value": ("postgresql://h1/missedd?sslmode", "as in ?sslmode=verify-full", None),
    "standby wanted": ("postgresql://h1/missedd?target_session_attrs=any", "read-write", None),
    "space": ("postgresql://h 1/missedd", "must not contain a space", None),
}


def with_store(lines: str) -> str:
    return f"{CAMPAIGN}[store]\n{lines}\n"


@pytest.mark.parametrize("url", USABLE_URLS)
def test_a_url_is_kept_as_it_is_written(url: str, tmp_path: Path) -> None:
    assert read(with_store(f'url = "{url}"'), tmp_path).store == PostgresqlLocation(url)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named_and_no_password_is_shown(mistake: str, tmp_path: Path) -> None:
    url, reason, suggestion = MISTAKES[mistake]
    (problem,) = problems_of(with_store(f'url = "{url}"'), tmp_path)
    assert problem.key == "store.url"
    assert reason in problem.reason
    assert problem.suggestion == suggestion
    assert PASSWORD not in str(problem)


def test_a_url_beside_a_path_is_a_mistake(tmp_path: Path) -> None:
    (problem,) = problems_of(with_store(f'url = "{URL}"\npath = "missedd.db"'), tmp_path)
    assert problem.key == "store.path"
    assert "must not stand beside url" in problem.reason


def test_a_url_as_the_path_is_a_mistake_that_shows_no_password(tmp_path: Path) -> None:
    (problem,) = problems_of(with_store(f'path = "postgresql://x:{PASSWORD}@h1/missedd"'), tmp_path)
    assert problem.key == "store.path"
    assert "write url" in problem.reason
    assert PASSWORD not in str(problem)


def test_a_password_in_the_file_is_a_mistake(tmp_path: Path) -> None:
    (problem,) = problems_of(with_store(f'url = "{URL}"\npassword = "{PASSWORD}"'), tmp_path)
    assert problem.key == "store.password"
    assert "MISSEDD_DATABASE_PASSWORD" in problem.reason
    assert PASSWORD not in str(problem)


def test_the_password_comes_from_the_environment_or_a_credential_and_is_never_shown(tmp_path: Path) -> None:
    text = with_store(f'url = "{URL}"')
    named = read(text, tmp_path, MISSEDD_DATABASE_PASSWORD=PASSWORD)
    (tmp_path / "missedd_database_password").write_text(PASSWORD + "\n", encoding="utf-8")
    from_credential = read(text, tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert named.store == from_credential.store == PostgresqlLocation(URL, PASSWORD)
    assert str(named.store) == URL
    for shown in (repr(named), repr(named.store), str(named.store), f"{named.store}"):
        assert PASSWORD not in shown


def test_the_log_hides_the_password(tmp_path: Path) -> None:
    file = tmp_path / "missedd.toml"
    file.write_text(with_store(f'url = "{URL}"'), encoding="utf-8")
    assert PASSWORD in load_config(file, ENVIRON | {"MISSEDD_DATABASE_PASSWORD": PASSWORD}).secret_texts
    assert PASSWORD not in load_config(file, ENVIRON).secret_texts


def test_an_unusable_password_is_a_problem_of_the_environment(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as caught:
        read(with_store(f'url = "{URL}"'), tmp_path, MISSEDD_DATABASE_PASSWORD="two words")
    (problem,) = caught.value.problems
    assert (problem.source, problem.key) == ("environment", "MISSEDD_DATABASE_PASSWORD")
    assert "two words" not in str(problem)


def test_a_node_is_named_after_its_machine(tmp_path: Path) -> None:
    assert read(CAMPAIGN, tmp_path).node_name == socket.gethostname()
    assert read(CAMPAIGN + '[node]\nname = "delhi-1"\n', tmp_path).node_name == "delhi-1"


def test_what_is_a_nodes_own_does_not_make_its_configuration_differ(tmp_path: Path) -> None:
    def fingerprint(text: str) -> str:
        return read(text, tmp_path).fingerprint

    same = fingerprint(CAMPAIGN)
    own = '# a comment\n[node]\nname = "b"\n[store]\nurl = "postgresql://h2,h1/missedd"\n'
    elsewhere = CAMPAIGN.replace("[listen]\n", '[listen]\nprivate = "10.0.0.2:8081"\npublic = "[::]:80"\n')
    for text in (own + elsewhere, CAMPAIGN + 'dedup_window = "5m"\n', CAMPAIGN + 'dedup_window = "300s"\n'):
        assert fingerprint(text) == same
    for text in (CAMPAIGN + "dedup_window = 90\n", CAMPAIGN.replace("calls.", "other.")):
        assert fingerprint(text) != same
    assert len(same) == FINGERPRINT_LENGTH


def test_another_process_gives_the_same_fingerprint(tmp_path: Path) -> None:
    """A set has another order in another process, unless it is sorted."""
    text = read_shipped_file(EXAMPLE) + '[contact]\ncountries = ["IN", "AE", "BD", "NP", "LK"]\n'
    text = text.replace('[contact]\ncountries = ["IN"]', "", 1)
    file = tmp_path / "missedd.toml"
    here = read(text, tmp_path).fingerprint
    for seed in ("1", "2", "3"):
        script = (
            "import sys, pathlib; from missedd.config.loader import load_settings; "
            "print(load_settings(pathlib.Path(sys.argv[1]), {}).fingerprint)"
        )
        there = subprocess.run(
            [sys.executable, "-c", script, str(file)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.strip() == here
