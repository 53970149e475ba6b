"""What must not be in the configuration file, nor in any line or traceback.

Each secret comes from the environment or, where that is silent, from a systemd credential: a file
of the same name in lower case in $CREDENTIALS_DIRECTORY. Space around it is not part of it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from missedd.config.values import ConfigProblem
from missedd.security.password import InvalidPasswordHash, PasswordHash, parse_password_hash

API_KEY, API_TOKEN = "EXOTEL_API_KEY", "EXOTEL_API_TOKEN"
WEBHOOK_TOKEN, WEBHOOK_SECRET = "MISSEDD_WEBHOOK_TOKEN", "MISSEDD_WEBHOOK_SECRET"
CONSOLE_PASSWORD_HASH, OWN_API_TOKEN = "MISSEDD_CONSOLE_PASSWORD_HASH", "MISSEDD_API_TOKEN"

MIN_TOKEN_LENGTH = 4
RECOMMENDED_TOKEN_LENGTH = 16
"""Below this many characters a webhook token can be guessed by who tries long enough."""
RECOMMENDED_KEY_BYTES = 24
"""The least number of bytes that Standard Webhooks asks of a signing key."""

_STANDARD_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """All that has to stay secret; neither `repr` nor `str` shows any of it."""

    api_key: str
    api_token: str
    webhook_token: str
    """The part of the public listener's paths that only Exotel knows."""
    webhook_secret: str | None = None
    """What outgoing webhooks are signed with, as the operator wrote it; see `signing_key`."""
    console_password: PasswordHash | None = None
    """What `missedd password` made; without it the console changes nothing."""
    own_api_token: str | None = None
    """What programs show to change something by our own API; without it they need nothing on loopback."""

    @property
    def signing_key(self) -> bytes | None:
        """The key of outgoing webhooks' HMAC.

        `whsec_` and base64, as Standard Webhooks writes it, is decoded. Any other text is a key as
        it stands: its UTF-8 bytes; a receiver's library must be given these bytes, not the text,
        which it would take for base64.
        """
        return None if self.webhook_secret is None else _signing_key(self.webhook_secret)

    @property
    def all_spellings(self) -> tuple[str, ...]:
        """Every spelling that no log line may hold, the longest first."""
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
    """The secrets, or None and why not; and what is odd about them, each with its variable's name."""

    secrets: Secrets | None
    problems: tuple[ConfigProblem, ...]
    warnings: tuple[str, ...]
    has_password: bool = False
    """Whether the console asks for one, whatever else is missing."""


def load_secrets(environ: Mapping[str, str], *, needs_webhook_secret: bool) -> LoadedSecrets:
    """Read every secret. The webhook secret may be absent unless a campaign has a webhook to sign."""
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
                _problem(WEBHOOK_TOKEN, "is part of a URL: only letters, digits and - _ . ~ are allowed")
            )
        elif len(token) < RECOMMENDED_TOKEN_LENGTH:
            warnings.append(
                f"{WEBHOOK_TOKEN}: is short; {RECOMMENDED_TOKEN_LENGTH} characters or more cannot be guessed"
            )
    if secret is not None:
        key = _validate_signing_key(secret, problems)
        if key is not None and len(key) < RECOMMENDED_KEY_BYTES:
            warnings.append(
                f"{WEBHOOK_SECRET}: has {len(key)} bytes; signatures want {RECOMMENDED_KEY_BYTES} or more"
            )
        if not secret.startswith(_STANDARD_PREFIX):
            warnings.append(f"{WEBHOOK_SECRET}: has no {_STANDARD_PREFIX}, so its own bytes are the key")
    password = _password(environ, problems)
    own = _read_secret(OWN_API_TOKEN, environ, problems, required=False)
    if own is not None and len(own) < RECOMMENDED_TOKEN_LENGTH:
        problems.append(_problem(OWN_API_TOKEN, f"must have at least {RECOMMENDED_TOKEN_LENGTH} characters"))
    if problems or api_key is None or api_token is None or token is None:
        return LoadedSecrets(None, tuple(problems), tuple(warnings), password is not None)
    secrets = Secrets(api_key, api_token, token, secret, password, own)
    return LoadedSecrets(secrets, (), tuple(warnings), password is not None)


def own_api_token(environ: Mapping[str, str]) -> str | None:
    """The token of our own API alone: for commands that ask the daemon and need no other secret."""
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
    """The key of `MISSEDD_WEBHOOK_SECRET` alone, or None and why there is none."""
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
        problems.append(_problem(name, "holds a space or a control character"))
        return None
    return text


def _where_to_put(name: str, directory: str | None) -> str:
    if directory:
        return f"it is neither in the environment nor in {Path(directory) / name.lower()}"
    return (
        f"set it in the environment, or CREDENTIALS_DIRECTORY to the folder that has it as the file "
        f"{name.lower()}, as systemd's credentials are (missedd.service reads /etc/missedd/credentials)"
    )


def _problem(name: str, reason: str) -> ConfigProblem:
    return ConfigProblem(name, reason, source="environment")


def _signing_key(secret: str) -> bytes:
    """Raises binascii.Error where `whsec_` is not followed by base64."""
    if not secret.startswith(_STANDARD_PREFIX):
        return secret.encode()
    bare = secret.removeprefix(_STANDARD_PREFIX)
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
