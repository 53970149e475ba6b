"""A stream and a clock for the log, and the lines that were written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from missedd.log.logger import Event, Logger, create_logger

AT = datetime(2026, 11, 23, 14, 30, 0, 123456, tzinfo=UTC)


def lines_of(write: Callable[[Logger], object], **options: Any) -> list[dict[str, Any]]:
    stream = io.StringIO()
    write(create_logger(stream, **{"now": lambda: AT} | options))
    return [json.loads(each) for each in stream.getvalue().splitlines()]


def field(value: object, key: str = "text", **options: Any) -> Any:
    """One field as it is logged."""
    (line,) = lines_of(lambda log: log.info(Event.WEBHOOK_ADMITTED, **{key: value}), **options)
    return line[key]
