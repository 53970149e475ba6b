"""The secrets, which are neither in the configuration file nor in any log line or traceback.

Each secret comes from an environment variable. If the variable is not set, the secret comes from a systemd
credential: a file with the same name in lower case in $CREDENTIALS_DIRECTORY. Surrounding space is removed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from missedd.config.values import ConfigProblem
from missedd.security.password import InvalidPasswordHash, PasswordHash, parse_password_hash

API_KEY, API_TOKEN = "EXOTEL_API_KEY", "EXOTEL_API_TOKEN"
WEBHOOK_TOKEN, WEBHOOK_SECRET = "MISSEDD_WEBHOOK_TOKEN", "MISSEDD_WEBHOOK_SECRET"
CONSOLE_PASSWORD_HASH, OWN_API_TOKEN = "MISSEDD_CONSOLE_PASSWORD_HASH", "MISSEDD_API_TOKEN"
DATABASE_PASSWORD = "MISSEDD_DATABASE_PASSWORD"  # noqa: S105 - the name of the variable

MIN_TOKEN_LENGTH = 4
RECOMMENDED_TOKEN_LENGTH = 16
"""A shorter webhook token can be guessed with enough attempts (characters)."""
RECOMMENDED_KEY_BYTES = 24
"""The shortest signing key that Standard Webhooks recommends, in bytes."""

_STANDARD_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """All secrets. `repr` and `str` show none of them."""

    api_key: str
    api_token: str
    webhook_token: str
    """The secret part of the public listener's paths; only Exotel knows it."""
    webhook_secret: str | None = None
    """The secret that signs outgoing webhooks, as the operator wrote it; see `signing_key`."""
    console_password: PasswordHash | None = None
    """The hash that `missedd password` created; without it the console is read-only."""
    own_api_token: str | None = None
    """The token that programs send to change something through our API; without it, loopback needs no
    token."""

    @property
    def signing_key(self) -> bytes | None:
        """The HMAC key for outgoing webhooks.

        `whsec_` and base64, the format of Standard Webhooks, is decoded. Any other text is used as it is: the
        key is its UTF-8 bytes. Give those bytes to the receiver's library, not the text: the library would
        decode the text as base64.
        """
        return None if self.webhook_secret is None else _signing_key(self.webhook_secret)

    @property
    def all_spellings(self) -> tuple[str, ...]:
        """Every form of a secret that must not appear in a log line, longest first."""
        written = (
            *(self.api_key, self.api_token, self.webhook_token, self.webhook_secret or ""),
            self.own_api_token or "",
        )
        bare = (self.webhook_secret or "").removeprefix(_STANDARD_PREFIX)
        return tuple(sorted({each for each in (*written, bare) if each}, key=lambda each: (-len(each), each)))

    def __repr__(self) -> str:
        return "Secrets(hidden)"


@dataclass(frozen=True, slots=True)
class LoadedSecrets:
    """The secrets, or None with the problems; and warnings, each of which starts with the name of the
    variable."""

    secrets: Secrets | None
    problems: tuple[ConfigProblem, ...]
    warnings: tuple[str, ...]
    has_password: bool = False
    """Whether the console has a password, even if other secrets are missing."""


def load_secrets(environ: Mapping[str, str], *, needs_webhook_secret: bool) -> LoadedSecrets:
    """Read every secret. The webhook secret is required only if a campaign has a webhook."""
    problems: list[ConfigProblem] = []
    warnings: list[str] = []
    api_key = _read_secret(API_KEY, environ, problems)
    api_token = _read_secret(API_TOKEN, environ, problems)
    token = _read_secret(WEBHOOK_TOKEN, environ, problems)
    secret = _read_secret(WEBHOOK_SECRET, environ, problems, required=needs_webhook_secret)
    if token is not None:
        if len(token) < MIN_TOKEN_LENGTH:
            problems.append(_problem(WEBHOOK_TOKEN, f"must have at least {MIN_TOKEN_LENGTH} characters"))
        elif not re.fullmatch(r"[A-Za-z0-9_.~-]+", token):
            problems.append(
                _problem(WEBHOOK_TOKEN, "is part of a URL, so only letters, digits and - _ . ~ are allowed")
            )
        elif len(token) < RECOMMENDED_TOKEN_LENGTH:
            warnings.append(
                f"{WEBHOOK_TOKEN}: is short and could be guessed; use {RECOMMENDED_TOKEN_LENGTH} "
                "characters or more"
            )
    if secret is not None:
        key = _validate_signing_key(secret, problems)
        if key is not None and len(key) < RECOMMENDED_KEY_BYTES:
            warnings.append(
                f"{WEBHOOK_SECRET}: has {len(key)} bytes; a signing key should have "
                f"{RECOMMENDED_KEY_BYTES} or more"
            )
        if not secret.startswith(_STANDARD_PREFIX):
            warnings.append(
                f"{WEBHOOK_SECRET}: has no {_STANDARD_PREFIX}, so the bytes of the text are the key"
            )
    password = _password(environ, problems)
    own = _read_secret(OWN_API_TOKEN, environ, problems, required=False)
    if own is not None and len(own) < RECOMMENDED_TOKEN_LENGTH:
        problems.append(_problem(OWN_API_TOKEN, f"must have at least {RECOMMENDED_TOKEN_LENGTH} characters"))
    if problems or api_key is None or api_token is None or token is None:
        return LoadedSecrets(None, tuple(problems), tuple(warnings), password is not None)
    secrets = Secrets(api_key, api_token, token, secret, password, own)
    return LoadedSecrets(secrets, (), tuple(warnings), password is not None)


def read_database_password(environ: Mapping[str, str], report: Callable[[ConfigProblem], None]) -> str | None:
    """The password of the PostgreSQL; None if a pgpass file has it, or the server asks for none."""
    problems: list[ConfigProblem] = []
    password = _read_secret(DATABASE_PASSWORD, environ, problems, required=False)
    for problem in problems:
        report(problem)
    return password


def own_api_token(environ: Mapping[str, str]) -> str | None:
    """Only the token of our own API, for commands that call the daemon and need no other secret."""
    return _read_secret(OWN_API_TOKEN, environ, [], required=False)


def _password(environ: Mapping[str, str], problems: list[ConfigProblem]) -> PasswordHash | None:
    text = _read_secret(CONSOLE_PASSWORD_HASH, environ, problems, required=False)
    if text is None:
        return None
    try:
        return parse_password_hash(text)
    except InvalidPasswordHash as wrong:
        problems.append(_problem(CONSOLE_PASSWORD_HASH, str(wrong)))
        return None


def find_signing_key(environ: Mapping[str, str]) -> tuple[bytes | None, tuple[ConfigProblem, ...]]:
    """Only the key of `MISSEDD_WEBHOOK_SECRET`, or None and the problems."""
    problems: list[ConfigProblem] = []
    secret = _read_secret(WEBHOOK_SECRET, environ, problems)
    return None if secret is None else _validate_signing_key(secret, problems), tuple(problems)


def _validate_signing_key(secret: str, problems: list[ConfigProblem]) -> bytes | None:
    try:
        key = _signing_key(secret)
    except binascii.Error:
        problems.append(_problem(WEBHOOK_SECRET, f"has no base64 after {_STANDARD_PREFIX}"))
        return None
    if not key:
        problems.append(_problem(WEBHOOK_SECRET, f"has nothing after {_STANDARD_PREFIX}"))
        return None
    return key


def _read_secret(
    name: str, environ: Mapping[str, str], problems: list[ConfigProblem], *, required: bool = True
) -> str | None:
    text = environ.get(name, "").strip()
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not text and directory:
        file = Path(directory) / name.lower()
        try:
            text = file.read_bytes().decode("utf-8-sig").strip()
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as refused:
            reason = getattr(refused, "strerror", None) or "it is not UTF-8"
            problems.append(ConfigProblem(name, f"cannot be read: {reason}", source=str(file)))
            return None
    if not text:
        if required:
            problems.append(_problem(name, f"is required: {_where_to_put(name, directory)}"))
        return None
    if not text.isprintable() or " " in text:
        problems.append(_problem(name, "contains a space or a control character"))
        return None
    return text


def _where_to_put(name: str, directory: str | None) -> str:
    if directory:
        return f"it is neither in the environment nor in {Path(directory) / name.lower()}"
    return (
        "set this environment variable, or set CREDENTIALS_DIRECTORY to a folder with the file "
        f"{name.lower()}, as systemd's credentials do (missedd.service reads /etc/missedd/credentials)"
    )


def _problem(name: str, reason: str) -> ConfigProblem:
    return ConfigProblem(name, reason, source="environment")


def _signing_key(secret: str) -> bytes:
    """Raises binascii.Error if `whsec_` is not followed by base64."""
    if not secret.startswith(_STANDARD_PREFIX):
        return secret.encode()
    bare = secret.removeprefix(_STANDARD_PREFIX)
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
