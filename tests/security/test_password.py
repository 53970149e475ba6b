"""The hash of a password, and how often a wrong password may be tried."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.security.login_throttle import (
    FREE_ATTEMPTS_IN_ALL,
    FREE_ATTEMPTS_PER_PEER,
    MAX_DELAY_IN_ALL_S,
    MAX_DELAY_PER_PEER_S,
    MAX_PEERS,
    WINDOW_S,
    LoginThrottle,
)
from missedd.security.password import InvalidPasswordHash, hash_password, parse_password_hash

SALT = bytes(range(16))
KEPT = hash_password("पासवर्ड secret", SALT)


def test_only_the_password_matches() -> None:
    kept = parse_password_hash(KEPT)
    assert kept.matches("पासवर्ड secret")
    assert not any(kept.matches(each) for each in ("", "पासवर्ड secret ", "\ud800"))
    assert hash_password("पासवर्ड secret", bytes(16)) != KEPT
    assert repr(kept) == "PasswordHash(hidden)"


def test_a_password_hash_can_stand_in_any_file() -> None:
    assert re.fullmatch(r"[A-Za-z0-9:_-]+", KEPT)


@pytest.mark.parametrize(
    "text",
    [
        *("", "secret", KEPT + ":", KEPT.removeprefix("scrypt:"), KEPT[:-1], KEPT[:-9]),
        *(KEPT.replace(":15:", ":11:"), KEPT.replace(":15:", ":18:"), KEPT.replace(":8:", ":9:")),
        KEPT.replace(":8:1:", ":8:99:"),
        KEPT.replace("AAECAwQF", "AAEC"),
    ],
)
def test_what_is_no_hash(text: str) -> None:
    with pytest.raises(InvalidPasswordHash):
        parse_password_hash(text)


def test_a_few_wrong_ones_are_forgiven_and_then_each_waits_longer() -> None:
    attempts, now_s, waits = LoginThrottle(), 1000.0, []
    for _ in range(FREE_ATTEMPTS_PER_PEER + 8):
        waits.append(attempts.retry_after_s("a", now_s))
        now_s += waits[-1]
        assert attempts.retry_after_s("a", now_s) == 0
        attempts.record_attempt("a", now_s)
    assert waits[:FREE_ATTEMPTS_PER_PEER] == [0] * FREE_ATTEMPTS_PER_PEER
    assert waits[FREE_ATTEMPTS_PER_PEER : FREE_ATTEMPTS_PER_PEER + 3] == [5, 10, 20]
    assert max(waits) <= MAX_DELAY_PER_PEER_S
    assert attempts.retry_after_s("b", now_s) == 0
    assert attempts.retry_after_s("a", now_s + WINDOW_S) == 0


def test_the_right_one_starts_anew() -> None:
    attempts = LoginThrottle()
    for second in range(FREE_ATTEMPTS_PER_PEER):
        attempts.record_attempt("a", second)
    attempts.record_success("a")
    assert attempts.retry_after_s("a", FREE_ATTEMPTS_PER_PEER) == 0


def test_many_peers_wait_for_each_other_but_not_for_long() -> None:
    attempts = LoginThrottle()
    for peer in range(FREE_ATTEMPTS_IN_ALL):
        assert attempts.retry_after_s(str(peer), 0) == 0
        attempts.record_attempt(str(peer), 0)
    assert attempts.retry_after_s("new", 0) == 5
    for peer in range(5 * MAX_PEERS):
        attempts.record_attempt(f"more {peer}", 1)
    assert attempts.retry_after_s("new", 1) == MAX_DELAY_IN_ALL_S
    assert len(attempts._attempts_by_peer) == MAX_PEERS


@given(st.lists(st.floats(0, 100), max_size=60))
def test_never_more_than_what_is_allowed_in_any_window(pauses: list[float]) -> None:
    """After the free attempts, two attempts of a peer are never closer than the first wait."""
    attempts, now_s, made = LoginThrottle(), 0.0, list[float]()
    for pause in pauses:
        now_s += pause
        if attempts.retry_after_s("a", now_s) == 0:
            attempts.record_attempt("a", now_s)
            made.append(now_s)
    for i in range(FREE_ATTEMPTS_PER_PEER, len(made)):
        if made[i] - made[i - FREE_ATTEMPTS_PER_PEER] < WINDOW_S - 1:
            assert made[i] - made[i - 1] >= 5 - 1e-6
