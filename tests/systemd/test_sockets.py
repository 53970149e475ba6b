"""Sockets by systemd's protocol: which are ours, and what is refused with a word of advice."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from missedd.config.listen import ListenAddress, ListenSettings, UnixSocket, inherited_mismatches
from missedd.systemd.sockets import InvalidInheritedSocket, inherited_sockets


@pytest.fixture
def passed() -> Iterator[list[int]]:
    """Two listening sockets on neighbouring descriptors, as an exec would leave them."""
    first = 100
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        for offset, each in enumerate((one, two)):
            os.dup2(each.fileno(), first + offset)
        yield [one.getsockname()[1], two.getsockname()[1]]
    for descriptor in (first, first + 1):
        with contextlib.suppress(OSError):  # taken over, and closed by who took it
            os.close(descriptor)


def told(**changes: str) -> dict[str, str]:
    return {"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "public:private", **changes}


def test_each_socket_is_known_by_its_name(passed: list[int]) -> None:
    found = inherited_sockets(told(), pid=7, first_fd=100)
    assert {name: [each.getsockname()[1] for each in held] for name, held in found.items()} == {
        "public": [passed[0]],
        "private": [passed[1]],
    }
    for (each,) in found.values():
        assert not each.get_inheritable()
        each.close()


def test_two_addresses_may_be_public(passed: list[int]) -> None:
    found = inherited_sockets(told(LISTEN_FDNAMES="public:public"), pid=7, first_fd=100)
    assert [each.getsockname()[1] for each in found["public"]] == passed
    for each in found["public"]:
        each.close()


@pytest.mark.parametrize(
    "environ",
    [{}, told(LISTEN_PID="8"), told(LISTEN_PID=""), told(LISTEN_FDS="0"), told(LISTEN_FDS="many")],
)
def test_what_is_not_for_us_is_left_alone(environ: dict[str, str]) -> None:
    assert inherited_sockets(environ, pid=7, first_fd=100) == {}


@pytest.mark.parametrize("names", ["public:missedd.socket", "", "public"])
def test_a_socket_without_a_name_of_ours_is_refused(names: str, passed: list[int]) -> None:
    with pytest.raises(InvalidInheritedSocket, match="FileDescriptorName"):
        inherited_sockets(told(LISTEN_FDNAMES=names), pid=7, first_fd=100)
    assert passed


def test_what_cannot_be_accepted_on_is_refused() -> None:
    with socket.socket() as unbound, pytest.raises(InvalidInheritedSocket, match="not one to accept on"):
        inherited_sockets(told(LISTEN_FDS="1"), pid=7, first_fd=os.dup(unbound.fileno()))
    nowhere = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(InvalidInheritedSocket, match="is none"):
        inherited_sockets(told(LISTEN_FDS="1"), pid=7, first_fd=nowhere)
    os.close(nowhere)


def test_one_private_address_is_enough(passed: list[int]) -> None:
    with pytest.raises(InvalidInheritedSocket, match="more than one private"):
        inherited_sockets(told(LISTEN_FDNAMES="private:private"), pid=7, first_fd=100)
    assert passed


def test_a_unix_socket_may_be_public_and_not_private(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "public.sock"))
        listening.listen()
        with pytest.raises(InvalidInheritedSocket, match="HOST:PORT"):
            inherited_sockets(
                told(LISTEN_FDS="1", LISTEN_FDNAMES="private"), pid=7, first_fd=os.dup(listening.fileno())
            )
        found = inherited_sockets(
            told(LISTEN_FDS="1", LISTEN_FDNAMES="public"), pid=7, first_fd=os.dup(listening.fileno())
        )
        (public,) = found["public"]
        assert public.getsockname() == str(tmp_path / "public.sock")
        public.close()


HERE = ListenAddress("127.0.0.1", 8080)
SOCKET = UnixSocket(Path("/run/missedd/public.sock"))


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        (HERE, [HERE]),
        (HERE, [ListenAddress("::1", 8080), HERE]),
        (ListenAddress("localhost", 8080), [HERE]),
        (ListenAddress("0.0.0.0", 8080), [ListenAddress("::", 8080)]),
        (ListenAddress("127.0.0.1", 0), [ListenAddress("127.0.0.1", 40_001)]),
        (SOCKET, [SOCKET]),
    ],
)
def test_what_the_file_says_may_be_said_in_several_ways(
    said: ListenAddress | UnixSocket, passed: list[ListenAddress | UnixSocket]
) -> None:
    listen = ListenSettings(said, ListenAddress("127.0.0.1", 8081), "https://calls.example.in")
    assert list(inherited_mismatches(listen, {"public": passed})) == []


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        (HERE, ListenAddress("127.0.0.1", 9080)),
        (HERE, ListenAddress("10.0.0.7", 8080)),
        (HERE, ListenAddress("0.0.0.0", 8080)),
        (HERE, SOCKET),
        (SOCKET, HERE),
        (SOCKET, UnixSocket(Path("/run/other.sock"))),
    ],
)
def test_a_file_that_says_another_address_than_systemd_is_warned_of(
    said: ListenAddress | UnixSocket, passed: ListenAddress | UnixSocket
) -> None:
    listen = ListenSettings(said, ListenAddress("127.0.0.1", 8081), "https://calls.example.in")
    (warning,) = inherited_mismatches(listen, {"public": [passed], "private": [listen.private]})
    assert warning.startswith(f"listen.public: is {said}, but systemd passed {passed}")
    assert "ListenStream=" in warning
    (private,) = inherited_mismatches(listen, {"private": [ListenAddress("127.0.0.1", 9081)]})
    assert private.startswith("listen.private: is 127.0.0.1:8081")


def test_a_unix_socket_that_was_passed_needs_a_public_url() -> None:
    listen = ListenSettings(
        HERE, ListenAddress("127.0.0.1", 8081), "http://127.0.0.1:8080", has_public_url=False
    )
    _, url = inherited_mismatches(listen, {"public": [SOCKET]})
    assert url.startswith("listen.public_url: is needed")
    assert list(inherited_mismatches(listen, {"public": [HERE]})) == []
