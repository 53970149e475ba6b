"""Settings and secrets checked together: which secret which setting needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from missedd.config.loader import InvalidConfig, load_config
from missedd.security.password import hash_password
from tests.config.samples import CALLBACK

SECRETS = {"EXOTEL_API_KEY": "k", "EXOTEL_API_TOKEN": "t", "MISSEDD_WEBHOOK_TOKEN": "abcdefghijklmnop"}


def test_settings_and_secrets_are_checked_together(tmp_path: Path) -> None:
    file = tmp_path / "missedd.toml"
    file.write_text(CALLBACK + "dely = 1\n", encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        load_config(file, {})
    assert [each.key for each in caught.value.problems] == ['campaign "a": callback.dely', *SECRETS]
    assert str(caught.value).count("\n") == 3


@pytest.mark.parametrize(
    ("private", "is_public"),
    [
        ("0.0.0.0:8081", True),
        ("[::]:8081", True),
        ("8.8.8.8:8081", True),
        ("[2606:4700::1]:8081", True),
        ("[::ffff:8.8.8.8]:8081", True),
        ("192.168.1.5:8081", False),
        ("100.64.0.1:8081", False),
        ("[fd00::1]:8081", False),
        ("[::ffff:10.0.0.1]:8081", False),
        ("console.example.in:8081", False),
        ("localhost:8081", False),
        ("127.0.0.1:8081", False),
    ],
)
def test_where_anybody_may_come_a_password_is_asked_for(
    private: str, is_public: bool, tmp_path: Path
) -> None:
    file = tmp_path / "missedd.toml"
    file.write_text(f'[listen]\nprivate = "{private}"\n' + CALLBACK[9:], encoding="utf-8")
    with_password = {**SECRETS, "MISSEDD_CONSOLE_PASSWORD_HASH": hash_password("a long one", b"salt" * 4)}
    assert load_config(file, with_password).settings.listen.private.is_public is is_public
    if is_public:
        with pytest.raises(InvalidConfig) as caught:
            load_config(file, {})
        assert [each.key for each in caught.value.problems] == [*SECRETS, "listen.private"]
        assert "MISSEDD_CONSOLE_PASSWORD_HASH" in str(caught.value)
    else:
        assert load_config(file, SECRETS).secrets.console_password is None


def test_only_a_webhook_needs_the_webhook_secret(tmp_path: Path) -> None:
    file = tmp_path / "missedd.toml"
    file.write_text(CALLBACK, encoding="utf-8")
    assert load_config(file, SECRETS).secrets.webhook_secret is None
    file.write_text(CALLBACK + '[campaign.webhook]\nurl = "http://127.0.0.1/x"\n', encoding="utf-8")
    with pytest.raises(InvalidConfig, match="MISSEDD_WEBHOOK_SECRET: is required"):
        load_config(file, SECRETS)
    loaded = load_config(file, {**SECRETS, "MISSEDD_WEBHOOK_SECRET": "short"})
    assert loaded.secrets.signing_key == b"short"
    assert len(loaded.settings.warnings) == 2
