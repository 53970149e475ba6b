"""Where secrets come from, which values are allowed, and that secrets are never shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from missedd.config.secrets import LoadedSecrets, Secrets, load_secrets, own_api_token
from missedd.security.password import hash_password

KEY = bytes(range(32))
STANDARD = "whsec_" + base64.b64encode(KEY).decode()
ENVIRON = {
    "EXOTEL_API_KEY": "key-of-the-account",
    "EXOTEL_API_TOKEN": "token-of-the-account",
    "MISSEDD_WEBHOOK_TOKEN": "0123456789abcdef",
    "MISSEDD_WEBHOOK_SECRET": STANDARD,
}
HASH = hash_password("correct horse", bytes(16))
OPTIONAL = {"MISSEDD_CONSOLE_PASSWORD_HASH": HASH, "MISSEDD_API_TOKEN": "token-of-our-own-api"}


def found(environ: dict[str, str], *, needs_webhook_secret: bool = True) -> LoadedSecrets:
    return load_secrets(environ, needs_webhook_secret=needs_webhook_secret)


def secrets_of(environ: dict[str, str]) -> Secrets:
    secrets = found(environ).secrets
    assert secrets is not None
    return secrets


def test_from_the_environment() -> None:
    secrets = secrets_of(ENVIRON)
    assert (secrets.api_key, secrets.api_token) == ("key-of-the-account", "token-of-the-account")
    assert (secrets.webhook_token, secrets.webhook_secret) == ("0123456789abcdef", STANDARD)
    assert found(ENVIRON).warnings == ()


def test_from_credentials_where_the_environment_is_silent(tmp_path: Path) -> None:
    for name, text in ENVIRON.items():
        (tmp_path / name.lower()).write_text(text + "\n", encoding="utf-8")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert secrets_of(environ) == secrets_of(ENVIRON)
    # The environment comes first; an empty variable counts as absent.
    assert secrets_of({**environ, "EXOTEL_API_KEY": "other", "EXOTEL_API_TOKEN": ""}).api_key == "other"
    # The unit file uses an empty credential for "not set".
    (tmp_path / "missedd_webhook_secret").write_text("\n", encoding="utf-8")
    assert found(environ).secrets is None
    assert found(environ, needs_webhook_secret=False).secrets is not None


def test_the_console_and_the_api_have_secrets_of_their_own(tmp_path: Path) -> None:
    for name, text in (ENVIRON | OPTIONAL).items():
        (tmp_path / name.lower()).write_text(text + "\n", encoding="utf-8")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    secrets = secrets_of(environ)
    assert secrets == secrets_of(ENVIRON | OPTIONAL)
    assert secrets.console_password is not None
    assert secrets.console_password.matches("correct horse")
    assert secrets.own_api_token == own_api_token(environ) == OPTIONAL["MISSEDD_API_TOKEN"]
    assert own_api_token(ENVIRON) is None
    assert found(OPTIONAL).has_password
    assert not found(ENVIRON).has_password


def test_nothing_shows() -> None:
    secrets = secrets_of(ENVIRON | OPTIONAL)
    assert "hidden" in repr(secrets.console_password)
    for shown in (repr(secrets), str(secrets), f"{secrets}", repr(found(ENVIRON)), repr([secrets])):
        assert not any(each in shown for each in secrets.all_spellings)


def test_what_logs_have_to_cover() -> None:
    kept = {*ENVIRON.values(), STANDARD.removeprefix("whsec_"), OPTIONAL["MISSEDD_API_TOKEN"]}
    assert set(secrets_of(ENVIRON | OPTIONAL).all_spellings) == kept


def test_every_problem_at_once(tmp_path: Path) -> None:
    for environ in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, dict.fromkeys(ENVIRON, " ")):
        problems = found(environ).problems
        assert [each.key for each in problems] == list(ENVIRON)
        assert str(problems[0]).startswith("environment: EXOTEL_API_KEY: is required")
    assert [each.key for each in found({}, needs_webhook_secret=False).problems] == list(ENVIRON)[:3]


def test_a_secret_that_is_missing_says_where_it_may_be_put(tmp_path: Path) -> None:
    (missing, *_) = found({}).problems
    assert "set this environment variable, or set CREDENTIALS_DIRECTORY to a folder" in missing.reason
    assert "exotel_api_key" in missing.reason
    (missing, *_) = found({"CREDENTIALS_DIRECTORY": str(tmp_path)}).problems
    assert f"neither in the environment nor in {tmp_path}/exotel_api_key" in missing.reason


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("MISSEDD_WEBHOOK_TOKEN", "abc", "at least 4"),
        ("MISSEDD_WEBHOOK_TOKEN", "abcd/efgh", "part of a URL"),
        ("MISSEDD_WEBHOOK_TOKEN", "abcd%20", "part of a URL"),
        ("MISSEDD_WEBHOOK_SECRET", "whsec_", "has nothing"),
        ("MISSEDD_WEBHOOK_SECRET", "whsec_#!", "no base64"),
        ("MISSEDD_CONSOLE_PASSWORD_HASH", "hunter2", "is not a hash that `missedd password` prints"),
        ("MISSEDD_CONSOLE_PASSWORD_HASH", HASH.replace(":15:", ":30:"), "has scrypt parameters 30:8:1"),
        ("MISSEDD_CONSOLE_PASSWORD_HASH", HASH[:-9], "is incomplete"),
        ("MISSEDD_API_TOKEN", "fifteen-letters", "at least 16"),
        ("EXOTEL_API_KEY", "two words", "space"),
        ("EXOTEL_API_TOKEN", "a\x07b", "control"),
    ],
)
def test_what_cannot_be_used(name: str, text: str, reason: str) -> None:
    problems = found({**ENVIRON, name: text}).problems
    assert [each.key for each in problems] == [name]
    assert reason in problems[0].reason
    assert text == "whsec_" or text not in str(problems[0])


def test_an_unreadable_credential(tmp_path: Path) -> None:
    (tmp_path / "exotel_api_key").mkdir()
    (tmp_path / "exotel_api_token").write_bytes(b"\xff")
    environ = {
        **ENVIRON,
        "EXOTEL_API_KEY": "",
        "EXOTEL_API_TOKEN": "",
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    first, second = found(environ).problems
    assert str(first).startswith(f"{tmp_path / 'exotel_api_key'}: EXOTEL_API_KEY: cannot be read")
    assert second.reason.endswith("not UTF-8")


def test_a_short_token_is_warned_of() -> None:
    (warning,) = found({**ENVIRON, "MISSEDD_WEBHOOK_TOKEN": "s3cr3t"}).warnings
    assert warning.startswith("MISSEDD_WEBHOOK_TOKEN: is short")
    assert "s3cr3t" not in warning


def test_signing_keys() -> None:
    secrets = secrets_of(ENVIRON)
    assert secrets.signing_key == KEY
    assert Webhook(STANDARD)._whsecret == secrets.signing_key  # as receivers' libraries decode it
    assert secrets_of({**ENVIRON, "MISSEDD_WEBHOOK_SECRET": STANDARD.rstrip("=")}).signing_key == KEY
    raw = {**ENVIRON, "MISSEDD_WEBHOOK_SECRET": "not-base64-at-all"}
    assert secrets_of(raw).signing_key == b"not-base64-at-all"
    assert [each.split(":")[0] for each in found(raw).warnings] == ["MISSEDD_WEBHOOK_SECRET"] * 2
    assert Secrets("k", "t", "w").signing_key is None
