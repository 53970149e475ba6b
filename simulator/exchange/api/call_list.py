"""The list of calls: filters, order and pages of `GET Calls`.

Outbound and incoming calls stand in one list, newest first unless `SortBy` says otherwise; an
incoming call stands in it once it has ended, and once, however often its webhook was posted. A
page's `After` and `Before` are Sids, taken out of `NextPageUri` and `PrevPageUri`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from simulator.exchange.api import call_list_filters
from simulator.exchange.api.call_list_filters import DateTest
from simulator.exchange.api.response_objects import call_object, inbound_object, signed_url
from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.records import Connect, InboundRing

CallEntry = Connect | InboundRing


def find_call(state: ExchangeState, sid: str) -> CallEntry | None:
    """The call of that Sid, once it can be found at all."""
    row = state.ground_truth.call(sid)
    return row if row is not None and _in_list_from(row) <= _visible_until(state) else None


def show_call(state: ExchangeState, row: CallEntry, query: Mapping[str, str]) -> dict[str, Any]:
    """The call as `query` asks for it. Raises Refusal (400) for what does not read."""
    minutes = call_list_filters.recording_url_minutes(query)
    shown = _call_json(state, row, details=query.get("details") == "true")
    if minutes is not None:
        shown["PreSignedRecordingUrl"] = signed_url(shown["RecordingUrl"], state.now(), minutes)
    return shown


def _call_json(state: ExchangeState, row: CallEntry, *, details: bool) -> dict[str, Any]:
    if isinstance(row, InboundRing):
        return inbound_object(row, state.settings, details=details)
    return call_object(row, state.settings, state.now(), details=details)


def list_calls(state: ExchangeState, query: Mapping[str, str], path: str) -> dict[str, Any]:
    """One page. Raises Refusal (400) for a filter that does not read."""
    since, until = call_list_filters.date_filters(query)
    size, sids = call_list_filters.page_size(query), call_list_filters.sid_filter(query)
    numbers = {name: call_list_filters.number_filter(query, name) for name in ("To", "From", "PhoneNumber")}
    direction = call_list_filters.choice_filter(query, "Direction", call_list_filters.DIRECTIONS)
    order = call_list_filters.choice_filter(query, "SortBy", call_list_filters.SORT_ORDERS)
    status = call_list_filters.choice_filter(query, "Status", call_list_filters.STATUSES)
    durations, prices = call_list_filters.duration_filter(query), call_list_filters.price_filter(query)
    asks_the_object = bool(status or durations.conditions or prices.conditions)

    def is_meant(row: CallEntry) -> bool:
        if not asks_the_object:
            return True
        shown = _call_json(state, row, details=False)
        return (
            (not status or shown["Status"] == status)
            and _meets_range(durations, shown["Duration"])
            and _meets_range(prices, shown["Price"])
        )

    rows = [
        row
        for row in (_calls_by_sid(state, sids, since) if sids else _newest_first(state, since))
        if (until is None or until(_began_at(row)))
        and all(not wanted or _number(row, name) in wanted for name, wanted in numbers.items())
        and (not direction or direction == _direction(row))
        and is_meant(row)
    ]
    if order.endswith(":asc"):
        rows.reverse()
    return _page(state, rows, query, size, path)


def _meets_range(range_filter: call_list_filters.RangeFilter, value: str | None) -> bool:
    """A call that is not over has no duration and no price, and meets no filter by them."""
    return not range_filter.conditions or (value is not None and range_filter.matches(Decimal(value)))


def _newest_first(state: ExchangeState, since: DateTest | None) -> Iterator[CallEntry]:
    """Both kinds of call merged by time; stops at the first that `since` turns away."""
    connects, inbound = state.ground_truth.connects, state.ground_truth.inbound
    out, inn = len(connects) - 1, len(inbound) - 1
    visible_until = _visible_until(state)
    while out >= 0 or inn >= 0:
        is_out = inn < 0 or (out >= 0 and connects[out].created_at >= inbound[inn].rung_at)
        row: CallEntry = connects[out] if is_out else inbound[inn]
        if since is not None and not since(_began_at(row)):
            return
        # A webhook that was posted again is the record of the same call.
        if _in_list_from(row) <= visible_until and state.ground_truth.call(_sid(row)) is row:
            yield row
        out, inn = (out - 1, inn) if is_out else (out, inn - 1)


def _calls_by_sid(state: ExchangeState, sids: list[str], since: DateTest | None) -> list[CallEntry]:
    found = [row for row in (find_call(state, sid) for sid in dict.fromkeys(sids)) if row is not None]
    found.sort(key=_began_at, reverse=True)
    return [row for row in found if since is None or since(_began_at(row))]


def _in_list_from(row: CallEntry) -> datetime:
    return row.ended_at if isinstance(row, InboundRing) else row.created_at


def _visible_until(state: ExchangeState) -> datetime:
    """A call begun or ended later than this is not in the list yet."""
    return state.now() - timedelta(seconds=state.settings.sid_visible_after_s)


def _began_at(row: CallEntry) -> datetime:
    return row.rung_at if isinstance(row, InboundRing) else row.created_at


def _sid(row: CallEntry) -> str:
    return row.call_sid if isinstance(row, InboundRing) else row.sid


def _number(row: CallEntry, name: str) -> str:
    """The E.164 number under the filter `name`; a flow call's `To` is its ExoPhone."""
    if isinstance(row, InboundRing):
        return row.number if name == "From" else row.exophone
    if name == "From":
        return row.from_number
    return row.to_number or row.caller_id if name == "To" else row.caller_id


def _direction(row: CallEntry) -> str:
    return "inbound" if isinstance(row, InboundRing) else "outbound-api"


def _page(
    state: ExchangeState, rows: list[CallEntry], query: Mapping[str, str], size: int, path: str
) -> dict[str, Any]:
    sids = [_sid(row) for row in rows]
    start = 0
    if query.get("After") in sids:
        start = sids.index(query["After"]) + 1
    elif query.get("Before") in sids:
        start = max(sids.index(query["Before"]) - size, 0)
    kept = {name: value for name, value in query.items() if name not in ("After", "Before")}

    def uri(**cursor: str) -> str:
        return f"{path}?{urlencode(kept | {'PageSize': str(size)} | cursor, quote_via=quote)}"

    page, has_more = rows[start : start + size], start + size < len(rows)
    metadata = {
        "Total": len(rows),
        "PageSize": size,
        "FirstPageUri": uri(),
        "PrevPageUri": uri(Before=sids[start]) if start > 0 and page else None,
        "NextPageUri": uri(After=_sid(page[-1])) if has_more else None,
    }
    return {"Metadata": metadata, "Calls": [_list_item(state, row, query) for row in page]}


def _list_item(state: ExchangeState, row: CallEntry, query: Mapping[str, str]) -> dict[str, Any]:
    """A row of the list. It names the ExoPhone as the filter does, too."""
    shown = show_call(state, row, query)
    return shown | {"PhoneNumber": shown["PhoneNumberSid"]}
