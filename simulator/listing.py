"""The list of calls: filters, order and pages of `GET Calls`.

Outbound and incoming calls stand in one list, newest first unless `SortBy` says otherwise; an
incoming call stands in it once it has ended, and once, however often its webhook was posted. A
page's `After` and `Before` are Sids, taken out of `NextPageUri` and `PrevPageUri`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any
from urllib.parse import quote, urlencode

from simulator.facts import Connect, InboundRing
from simulator.objects import call_object, inbound_object
from simulator.orders import Refusal
from simulator.spelling import e164, from_ist
from simulator.world import World

PAGE_SIZE, PAGE_SIZE_MAX, SIDS_MAX, NUMBERS_MAX = 50, 100, 100, 5
WIDEST_RANGE = timedelta(days=31)
COMPARISONS: dict[str, Callable[[datetime, datetime], bool]] = {"gte": ge, "gt": gt, "lte": le, "lt": lt}

Row = Connect | InboundRing
DateTest = Callable[[datetime], bool]


def find_call(world: World, sid: str) -> Row | None:
    """The call of that Sid, once it can be found at all."""
    row = world.truth.call(sid)
    return row if row is not None and _listed_from(row) <= _visible_until(world) else None


def show_call(world: World, row: Row, *, details: bool) -> dict[str, Any]:
    if isinstance(row, InboundRing):
        return inbound_object(row, world.settings, details=details)
    return call_object(row, world.settings, world.now(), details=details)


def list_calls(world: World, query: Mapping[str, str], path: str) -> dict[str, Any]:
    """One page. Raises Refusal (400) for a filter that does not read."""
    since, until = _dates(query.get("DateCreated", ""))
    size = _page_size(query)
    sids = _listed(query, "Sid", SIDS_MAX)
    numbers = {
        name: [e164(text) for text in _listed(query, name, NUMBERS_MAX)]
        for name in ("To", "From", "PhoneNumber")
    }
    direction, status = query.get("Direction"), query.get("Status")
    rows = [
        row
        for row in (_of_sids(world, sids, since) if sids else _newest_first(world, since))
        if (until is None or until(_at(row)))
        and all(not wanted or _number(row, name) in wanted for name, wanted in numbers.items())
        and (not direction or direction == _direction(row))
        and (not status or status == _status(world, row))
    ]
    if query.get("SortBy", "").endswith(":asc"):
        rows.reverse()
    return _page(world, rows, query, size, path)


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


def _status(world: World, row: Row) -> str:
    return str(show_call(world, row, details=False)["Status"])


def _dates(text: str) -> tuple[DateTest | None, DateTest | None]:
    """`gte:…;lte:…` in IST as a lower and an upper test, compared in whole seconds as it is written."""
    tests: list[DateTest | None] = [None, None]
    bounds: list[datetime | None] = [None, None]
    for part in filter(None, text.split(";")):
        name, _, value = part.partition(":")
        try:
            bound, compare = from_ist(value), COMPARISONS[name]
        except (KeyError, ValueError):
            raise Refusal(400, f"Bad or missing parameters: DateCreated {part!r}") from None
        which = 0 if name.startswith("g") else 1
        tests[which], bounds[which] = _date_test(compare, bound), bound
    low, high = bounds
    if low is not None and high is not None and high - low > WIDEST_RANGE:
        raise Refusal(400, "Bad or missing parameters: DateCreated spans more than a month")
    return tests[0], tests[1]


def _date_test(compare: Callable[[datetime, datetime], bool], bound: datetime) -> DateTest:
    return lambda at: compare(at.replace(microsecond=0), bound)


def _listed(query: Mapping[str, str], name: str, most: int) -> list[str]:
    values = [value.strip() for value in query.get(name, "").split(",") if value.strip()]
    if len(values) > most:
        raise Refusal(400, f"Bad or missing parameters: more than {most} values of {name}")
    return values


def _page_size(query: Mapping[str, str]) -> int:
    text = query.get("PageSize", str(PAGE_SIZE))
    if not text.isdigit() or not 1 <= int(text) <= PAGE_SIZE_MAX:
        raise Refusal(400, f"Bad or missing parameters: PageSize is 1 to {PAGE_SIZE_MAX}")
    return int(text)


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
    details = query.get("details") == "true"
    return {"Metadata": metadata, "Calls": [show_call(world, row, details=details) for row in page]}
