"""Counting a poll again, writing its signed result, and checking one that there is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from missedd.base.clock import SystemClock
from missedd.commands.shared.options import CONFIGURATION, FAILED, OK, print_problems
from missedd.config.loader import InvalidConfig, Settings, load_settings
from missedd.config.secrets import find_signing_key
from missedd.core.api_types.polls import poll_json
from missedd.core.polls.signed_result import FORMAT, has_valid_signature, poll_result_json, sign_result
from missedd.core.polls.tally import OPEN
from missedd.store.db.database import StoreRefused
from missedd.store.polls.recount import Recount, open_snapshot, recount_from_calls, stored_tally, vote_digests
from missedd.store.sqlite.read_access import has_database


def recount_poll(config: Path, name: str, result_file: Path | None, *, as_json: bool) -> int:
    """Hold the votes and the tally against the calls; if they agree, write the result that is asked for."""
    key = None if result_file is None else _find_key()
    if isinstance(key, int):
        return key
    try:
        settings = load_settings(config, os.environ)
        with open_snapshot(settings.store) as reading:
            kept = stored_tally(reading, name)
            if kept is None:
                print(f"there is no poll {name!r} in {settings.store}", file=sys.stderr)
                return FAILED
            found = recount_from_calls(reading, kept)
            if key is None or result_file is None or not found.agrees:
                return _print_recount(found, settings, as_json=as_json)
            now = SystemClock().now()
            poll = poll_json(found.recounted, settings.policy.poll_options(name), now)
            counted = poll_result_json(
                poll, found.recounted.calls, found.voter_count, vote_digests(reading, name), now
            )
    except InvalidConfig as problems:
        return print_problems(problems)
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    _print_recount(found, settings, as_json=as_json)
    return _write_result(sign_result(counted, key), result_file)


def _print_recount(found: Recount, settings: Settings, *, as_json: bool) -> int:
    poll = found.stored.rules.name
    if settings.policy.poll(poll) not in (None, found.stored.rules):
        print(
            "the configuration has other rules for this poll: they hold from the next start on",
            file=sys.stderr,
        )
    if as_json:
        shown = to_builtins(
            poll_json(found.recounted, settings.policy.poll_options(poll), SystemClock().now())
        )
        print(
            json.dumps(
                shown
                | {"numbers": found.voter_count, "agrees": found.agrees, "differences": found.differences},
                indent=2,
                ensure_ascii=False,
            )
        )
        return OK if found.agrees else FAILED
    counted = (
        f"{found.recounted.calls:,} votes of {found.voter_count:,} numbers, {found.recounted.total:,} "
        "of them count"
    )
    if found.agrees:
        print(f"{poll}: {counted}: the votes and the tally agree with the calls")
        return OK
    print(f"{poll}: by the calls {counted}; {found.difference_count:,} differences:")
    for each in found.differences:
        print(f"  {each}")
    if found.difference_count > len(found.differences):
        print(f"  … and {found.difference_count - len(found.differences):,} more")
    return FAILED


def _write_result(counted: Mapping[str, Any], into: Path) -> int:
    text = json.dumps(counted, indent=2, ensure_ascii=False) + "\n"
    try:
        into.write_text(text, "utf-8")
    except OSError as failure:
        print(f"cannot write {into}: {failure.strerror}", file=sys.stderr)
        return FAILED
    if counted["state"] == OPEN:
        print("the poll is open: the result is how it stands now", file=sys.stderr)
    print(f"the signed result is in {into}", file=sys.stderr)
    return OK


def verify_result(config: Path, name: str, file: Path) -> int:
    """Check a result's signature and, where there is a database, every figure and digest of it."""
    key = _find_key()
    if isinstance(key, int):
        return key
    said = _read_result(file, key)
    if isinstance(said, str):
        print(said, file=sys.stderr)
        return FAILED
    if said["poll"] != name:
        print(f"{file} is the result of the poll {said['poll']!r}", file=sys.stderr)
        return FAILED
    return _compare_result(said, config, file)


def _read_result(file: Path, key: bytes) -> dict[str, Any] | str:
    """A result that this key signed, or why it is none."""
    try:
        said = json.loads(file.read_text("utf-8"))
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            return f"{file} is no result of a poll: its format is not {FORMAT}"
        if not has_valid_signature(said, key):
            return f"{file}: the signature does not fit: it was changed, or signed with another secret"
    except OSError as failure:
        return f"cannot read {file}: {failure.strerror}"
    except (ValueError, RecursionError):
        return f"{file} is no result of a poll: it is no JSON"
    return said


def _compare_result(said: Mapping[str, Any], config: Path, file: Path) -> int:
    try:
        settings = load_settings(config, os.environ)
        if isinstance(settings.store, Path) and not has_database(settings.store):
            print(f"{file}: the signature fits; there is no database here to compare it with")
            return OK
        with open_snapshot(settings.store) as reading:
            kept = stored_tally(reading, said["poll"])
            if kept is None:
                print(f"{file}: the signature fits; the database has no such poll", file=sys.stderr)
                return FAILED
            found = recount_from_calls(reading, kept)
            at, options = SystemClock().now(), [each["option"] for each in said["options"]]
            poll = poll_json(found.recounted, options, at)
            now = poll_result_json(
                poll, found.recounted.calls, found.voter_count, vote_digests(reading, poll.poll), at
            )
    except InvalidConfig as problems:
        return print_problems(problems)
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    # When it was counted, and whether the poll was open then, may differ; what was counted may not.
    changed = [each for each in now if each not in ("counted_at", "state") and now[each] != said.get(each)]
    for each in changed:
        print(f"{each}: the result says {said.get(each)}, the database gives {now[each]}", file=sys.stderr)
    if changed or not found.agrees:
        print(f"{file}: the signature fits, and the database has changed since", file=sys.stderr)
        return FAILED
    print(f"{file}: the signature fits, and the database gives the same votes, call by call")
    return OK


def _find_key() -> bytes | int:
    """The signing key, or the exit code where there is none."""
    key, problems = find_signing_key(os.environ)
    if key is None:
        for each in problems:
            print(each, file=sys.stderr)
        print("a result is signed, and checked, with that secret", file=sys.stderr)
        return CONFIGURATION
    return key
