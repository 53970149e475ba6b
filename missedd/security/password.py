"""Passwords as they are stored: a scrypt hash with its parameters and its salt in one text.

    scrypt:15:8:1:SALT:HASH

The parts are cost (as a power of two), block size and parallelism, then salt and hash in base64 without
padding. None of these characters has a meaning in a shell or in an environment file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

LOG_COST, BLOCK_SIZE, PARALLELISM = 15, 8, 1
"""A tenth of a second and 32 MB for each attempt."""
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
MIN_PASSWORD_LENGTH: Final = 10
"""Characters of a new password."""
_ALLOWED_LOG_COSTS: Final = range(12, 18)
"""A lower cost is too weak; a higher one needs more memory than this daemon should use."""
_HASH_FORMAT: Final = re.compile(r"scrypt:(\d{1,2}):(\d{1,2}):(\d{1,2}):([A-Za-z0-9_-]+):([A-Za-z0-9_-]+)")


class InvalidPasswordHash(ValueError):
    """A text that `hash_password` did not create; the message says why."""


@dataclass(frozen=True, slots=True, repr=False)
class PasswordHash:
    log_cost: int
    block_size: int
    parallelism: int
    salt: bytes
    hash: bytes

    def matches(self, password: str) -> bool:
        """Whether this is the hash of `password`. It always takes the same time."""
        return hmac.compare_digest(self._derive(password), self.hash)

    def _derive(self, password: str) -> bytes:
        return _scrypt(password, self.salt, self.log_cost, self.block_size, self.parallelism, len(self.hash))

    def __repr__(self) -> str:
        return "PasswordHash(hidden)"


def hash_password(password: str, salt: bytes) -> str:
    """The text to store for a password."""
    derived = _scrypt(password, salt, LOG_COST, BLOCK_SIZE, PARALLELISM, HASH_BYTES)
    return f"scrypt:{LOG_COST}:{BLOCK_SIZE}:{PARALLELISM}:{_encode(salt)}:{_encode(derived)}"


def parse_password_hash(text: str) -> PasswordHash:
    """Parse a stored hash. Raises `InvalidPasswordHash`."""
    match = _HASH_FORMAT.fullmatch(text)
    if match is None:
        raise InvalidPasswordHash("is not a hash that `missedd password` prints")
    log_cost, block, lanes = (int(each) for each in match.groups()[:3])
    if log_cost not in _ALLOWED_LOG_COSTS or block != BLOCK_SIZE or lanes not in range(1, 5):
        parameters = f"{log_cost}:{block}:{lanes}"
        raise InvalidPasswordHash(
            f"has scrypt parameters {parameters}, which are not allowed; create it with `missedd password`"
        )
    try:
        salt, stored = _decode(match[4]), _decode(match[5])
    except binascii.Error:
        raise InvalidPasswordHash("is incomplete") from None
    if len(salt) < SALT_BYTES or len(stored) != HASH_BYTES:
        raise InvalidPasswordHash("is incomplete")
    return PasswordHash(log_cost, block, lanes, salt, stored)


def _scrypt(password: str, salt: bytes, log_cost: int, block: int, lanes: int, length: int) -> bytes:
    cost = 2**log_cost
    return hashlib.scrypt(
        # A lone surrogate cannot be typed into a form, but a program can send one.
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=cost,
        r=block,
        p=lanes,
        maxmem=128 * block * (cost + lanes + 2),
        dklen=length,
    )


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
