"""Migrations that have landed are never edited: who ran the old wording would never run the new one."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tests.store.database import MIGRATIONS

KEPT = Path(__file__).with_name("migrations.sha256")
"""A line for each, as `sha256sum *.sql` writes it. One is added with each migration, and none is changed."""


def test_no_migration_was_changed_since_it_landed() -> None:
    lines = [line.split() for line in KEPT.read_text("ascii").splitlines()]
    kept = {name: digest for digest, name in lines}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        digest = sha256(file.read_bytes()).hexdigest()
        landed = kept.pop(file.name, None)
        assert landed is not None, f"a new migration: add to {KEPT.name} the line\n{digest}  {file.name}"
        assert digest == landed, f"{file.name} has landed: what it should do differently is a new migration"
    assert not kept, "a migration that has landed is gone"


def test_their_numbers_have_no_gap() -> None:
    names = [file.name for file in sorted(MIGRATIONS.glob("*.sql"))]
    assert [name[:4] for name in names] == [f"{number:04d}" for number in range(1, len(names) + 1)]
