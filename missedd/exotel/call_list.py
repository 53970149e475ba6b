"""The pages of Exotel's list of calls, and their entries.

    GET …/Calls.json    {"Metadata": {"NextPageUri": …}, "Calls": [{…}, …]}

Exotel lists a call after it has ended. A new call may be missing for some seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from missedd.core.model import StatusReport
from missedd.core.phone import normalise
from missedd.exotel.dates import format_ist, parse_instant
from missedd.exotel.incoming_call_record import ListedCall
from missedd.exotel.status_report_parser import parse_call_record

PAGE_SIZE = 100
MAX_FILTER_NUMBERS = 5
"""Exotel's limits on the calls of a page and on the numbers of a filter."""

type PageQuery = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """An entry of Exotel's list of calls. Numbers are E.164, None if unreadable. `created_at` is in UTC."""

    sid: str
    created_at: datetime | None
    direction: str
    from_number: str | None = field(repr=False)
    to_number: str | None = field(repr=False)
    exophone: str | None = field(repr=False)
    report: StatusReport = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListPage:
    """The entries of one page as they came, and the query of the next page; None at the end."""

    entries: tuple[Mapping[str, Any], ...] = field(repr=False)
    next_query: PageQuery | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class IncomingPage:
    """Some of the account's incoming calls, and the query of the next page; None at the end."""

    calls: tuple[ListedCall, ...] = field(repr=False)
    next_query: PageQuery | None = field(repr=False)


def parse_page(document: Mapping[str, Any]) -> ListPage | None:
    """Parse a page; None if the answer has no list of calls."""
    calls = document.get("Calls")
    if not isinstance(calls, Sequence) or isinstance(calls, str):
        return None
    entries = tuple(each for each in calls if isinstance(each, Mapping))
    return ListPage(entries, _next_query(document) if calls else None)


def parse_record(entry: Mapping[str, Any]) -> CallRecord:
    report = parse_call_record(entry)
    fields = report.fields
    return CallRecord(
        sid=report.provider_sid,
        created_at=parse_instant(fields.get("DateCreated")),
        direction=fields.get("Direction", ""),
        from_number=normalise(fields.get("From")),
        to_number=normalise(fields.get("To")),
        exophone=normalise(fields.get("PhoneNumberSid") or fields.get("PhoneNumber")),
        report=report,
    )


def date_filter(since: datetime, until: datetime) -> str:
    """The filter `DateCreated`, in India's time. It has whole seconds, so both ends are rounded outward."""
    return f"gte:{format_ist(since)};lte:{format_ist(until + timedelta(seconds=1))}"


def query_from_numbers(numbers: tuple[str, ...], since: datetime, until: datetime) -> PageQuery:
    """The calls whose first leg is one of `numbers`, `MAX_FILTER_NUMBERS` at most."""
    return {"DateCreated": date_filter(since, until), "From": ",".join(numbers), "PageSize": str(PAGE_SIZE)}


def query_incoming(since: datetime, until: datetime) -> PageQuery:
    """The account's incoming calls, oldest first, with the status of their legs."""
    return {
        "DateCreated": date_filter(since, until),
        "Direction": "inbound",
        "SortBy": "DateCreated:asc",
        "PageSize": str(PAGE_SIZE),
        "details": "true",
    }


def _next_query(document: Mapping[str, Any]) -> dict[str, str] | None:
    """The query of the next page. Host and path stay ours, as the request carries our credentials."""
    metadata = document.get("Metadata")
    following = metadata.get("NextPageUri") if isinstance(metadata, Mapping) else None
    if not isinstance(following, str):
        return None
    return dict(httpx.QueryParams(following.partition("?")[2].partition("#")[0])) or None
