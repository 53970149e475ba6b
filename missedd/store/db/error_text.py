"""What a message says of a database's error."""

from __future__ import annotations


def first_line(failure: BaseException) -> str:
    """The error in one line. Further lines of a database's error can quote rows, and so people's numbers."""
    return str(failure).strip().partition("\n")[0] or type(failure).__name__
