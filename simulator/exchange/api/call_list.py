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
from simulator.exchange.model.context import World
from simulator.exchange.model.records import Connect, InboundRing

Row = Connect | InboundRing


def find_call(world: World, sid: str) -> Row | None:
    """The call of that Sid, once it can be found at all."""
    row = world.truth.call(sid)
    return row if row is not None and _listed_from(row) <= _visible_until(world) else None


def show_call(world: World, row: Row, query: Mapping[str, str]) -> dict[str, Any]:
    """The call as `query` asks for it. Raises Refusal (400) for what does not read."""
    minutes = call_list_filters.url_minutes(query)
    shown = _shown(world, row, details=query.get("details") == "true")
    if minutes is not None:
        shown["PreSignedRecordingUrl"] = signed_url(shown["RecordingUrl"], world.now(), minutes)
    return shown


def _shown(world: World, row: Row, *, details: bool) -> dict[str, Any]:
    if isinstance(row, InboundRing):
        return inbound_object(row, world.settings, details=details)
    return call_object(row, world.settings, world.now(), details=details)


def list_calls(world: World, query: Mapping[str, str], path: str) -> dict[str, Any]:
    """One page. Raises Refusal (400) for a filter that does not read."""
    since, until = call_list_filters.dates(query)
    size, sids = call_list_filters.page_size(query), call_list_filters.sids(query)
    numbers = {name: call_list_filters.numbers(query, name) for name in ("To", "From", "PhoneNumber")}
    direction = call_list_filters.choice(query, "Direction", call_list_filters.DIRECTIONS)
    order = call_list_filters.choice(query, "SortBy", call_list_filters.ORDERS)
    status = call_list_filters.choice(query, "Status", call_list_filters.STATUSES)
    durations, prices = call_list_filters.durations(query), call_list_filters.prices(query)
    asks_the_object = bool(status or durations.parts or prices.parts)

    def is_meant(row: Row) -> bool:
        if not asks_the_object:
            return True
        shown = _shown(world, row, details=False)
        return (
            (not status or shown["Status"] == status)
            and _meets(durations, shown["Duration"])
            and _meets(prices, shown["Price"])
        )

    rows = [
        row
        for row in (_of_sids(world, sids, since) if sids else _newest_first(world, since))
        if (until is None or until(_at(row)))
        and all(not wanted or _number(row, name) in wanted for name, wanted in numbers.items())
        and (not direction or direction == _direction(row))
        and is_meant(row)
    ]
    if order.endswith(":asc"):
        rows.reverse()
    return _page(world, rows, query, size, path)


def _meets(span: call_list_filters.Span, value: str | None) -> bool:
    """A call that is not over has no duration and no price, and meets no filter by them."""
    return not span.parts or (value is not None and span.holds(Decimal(value)))


def _newest_first(world: World, since: DateTest | None) -> Iterator[Row]:
    """Both kinds of call merged by time; stops at the first that `since` turns away."""
    connects, inbound = world.truth.connects, world.truth.inbound
    out, inn = len(connects) - 1, len(inbound) - 1
    visible_until = _visible_until(world)
    while out >= 0 or inn >= 0:
        is_out = inn < 0 or (out >= 0 and connects[out].created_at >= inbound[inn].rung_at)
        row: Row = connects[out] if is_out else inbound[inn]
        if since is not None and not since(_at(row)):
            return
        # A webhook that was posted again is the record of the same call.
        if _listed_from(row) <= visible_until and world.truth.call(_sid(row)) is row:
            yield row
        out, inn = (out - 1, inn) if is_out else (out, inn - 1)


def _of_sids(world: World, sids: list[str], since: DateTest | None) -> list[Row]:
    found = [row for row in (find_call(world, sid) for sid in dict.fromkeys(sids)) if row is not None]
    found.sort(key=_at, reverse=True)
    return [row for row in found if since is None or since(_at(row))]


def _listed_from(row: Row) -> datetime:
    return row.ended_at if isinstance(row, InboundRing) else row.created_at


def _visible_until(world: World) -> datetime:
    """A call begun or ended later than this is not in the list yet."""
    return world.now() - timedelta(seconds=world.settings.sid_visible_after_s)


def _at(row: Row) -> datetime:
    return row.rung_at if isinstance(row, InboundRing) else row.created_at


def _sid(row: Row) -> str:
    return row.call_sid if isinstance(row, InboundRing) else row.sid


def _number(row: Row, name: str) -> str:
    """The E.164 number under the filter `name`; a flow call's `To` is its ExoPhone."""
    if isinstance(row, InboundRing):
        return row.number if name == "From" else row.exophone
    if name == "From":
        return row.from_number
    return row.to_number or row.caller_id if name == "To" else row.caller_id


def _direction(row: Row) -> str:
    return "inbound" if isinstance(row, InboundRing) else "outbound-api"


def _page(world: World, rows: list[Row], query: Mapping[str, str], size: int, path: str) -> dict[str, Any]:
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
    return {"Metadata": metadata, "Calls": [_listed(world, row, query) for row in page]}


def _listed(world: World, row: Row, query: Mapping[str, str]) -> dict[str, Any]:
    """A row of the list. It names the ExoPhone as the filter does, too."""
    shown = show_call(world, row, query)
    return shown | {"PhoneNumber": shown["PhoneNumberSid"]}
