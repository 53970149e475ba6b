"""`missedd password`: make the hash of a console's password."""

from __future__ import annotations

import argparse
import sys
from getpass import getpass
from secrets import token_bytes

from missedd.commands.shared.options import FAILED, OK
from missedd.config.secrets import CONSOLE_PASSWORD_HASH
from missedd.security.password import MIN_PASSWORD_LENGTH, SALT_BYTES, hash_password

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "password",
        help="print the hash of a password for the console",
        description=f"Asks for a password twice and prints its hash. If stdin is not a terminal, it reads "
        f"one line. Set the hash as {CONSOLE_PASSWORD_HASH} in the environment, or as the systemd credential "
        "of that name in lower case. People can then log in to the console and make changes there, and the "
        "private listener may use a public address. The password itself is not stored.",
        epilog="example: missedd password > /etc/missedd/credentials/missedd_console_password_hash",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        password = _prompt() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        password = None
    if password is None:
        return FAILED
    if len(password) < MIN_PASSWORD_LENGTH:
        print(f"a password has at least {MIN_PASSWORD_LENGTH} characters", file=sys.stderr)
        return FAILED
    print(hash_password(password, token_bytes(SALT_BYTES)))
    return OK


def _prompt() -> str | None:
    password = getpass("Password for the console: ")
    if getpass("And again: ") != password:
        print("the two differ", file=sys.stderr)
        return None
    return password
