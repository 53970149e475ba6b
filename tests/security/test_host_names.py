"""Host names as browsers send them."""

from __future__ import annotations

import pytest

from missedd.security.host_names import authority_host, canonical_host, is_same_origin, origin_host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("Missedd.Example.IN", "missedd.example.in"),
        ("missedd.example.in.", "missedd.example.in"),
        ("missedd_one", "missedd_one"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        *[(wrong, None) for wrong in ("", ".", "a..b", "*.example.in", "a b", "a/b", "a:1", "[::1]", "a@b")],
        *[(wrong, None) for wrong in ("https://a", "127.1", "a.1", "1.2.3.4.5", "caf\u00e9", "a" * 64)],
    ],
)
def test_names_are_compared_in_one_spelling(host: str, expected: str | None) -> None:
    assert canonical_host(host) == expected


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST.:8081", "localhost"),
        ("127.0.0.1:8081", "127.0.0.1"),
        ("[::1]:8081", "::1"),
        ("[::1]", "::1"),
        ("a:", "a"),
        *[
            (wrong, None)
            for wrong in ("", ":8081", "::1", "[::1", "[a]", "a:b", "a:1:2", "u@a", "a, b", "a/")
        ],
    ],
)
def test_the_host_of_a_host_header(authority: str, host: str | None) -> None:
    assert authority_host(authority) == host


@pytest.mark.parametrize(
    ("origin", "authority", "is_same"),
    [
        ("http://localhost:8081", "localhost:8081", True),
        ("http://LOCALHOST:8081", "localhost.:8081", True),
        ("http://localhost:8082", "localhost:8081", False),
        ("http://127.0.0.1:8081", "localhost:8081", False),
        ("http://[::1]:8081", "[0:0::1]:8081", True),
        ("http://a.in", "a.in:80", True),
        ("https://a.in", "a.in", True),
        ("https://a.in", "a.in:80", False),
        ("http://a.in:8081", "a.in", False),
        ("http://a.in.evil.example", "a.in", False),
        ("null", "null", False),
        ("file://", "", False),
        ("ftp://a.in", "a.in", False),
        ("http://a.in/", "a.in", False),
        ("http://a.in http://a.in", "a.in", False),
        ("", "", False),
    ],
)
def test_a_page_and_what_it_asks_are_of_one_place(origin: str, authority: str, is_same: bool) -> None:
    assert is_same_origin(origin, authority) == is_same


def test_the_host_of_an_origin() -> None:
    assert origin_host("https://Missedd.Example.In:8443") == "missedd.example.in"
    assert origin_host("null") is None
    assert origin_host("ftp://missedd.example.in") is None
