"""System errors in words for people: `connection refused`, without `[Errno 111]`."""

from __future__ import annotations


def describe_error(error: BaseException) -> str:
    """The system's words for the error or for its cause; else the exception's own text."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            words = cause.strerror[:1].lower() + cause.strerror[1:]
            return f"{words}: {cause.filename}" if cause.filename else words
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
