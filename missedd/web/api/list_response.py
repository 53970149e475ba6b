"""A list, as a request asked for it: a page in JSON, or all of it as CSV.

A CSV is whatever the filter selects, however much that is: it is read page by page while it is sent, so
it costs the memory of a page, and no view of the database stays open for a reader that takes its time.
With a `limit` it is a page too, with the next one's address in a Link header.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

import trio
from quart import Response, jsonify, request

from missedd.core.api_types.base import ApiObject
from missedd.core.pagination import InvalidCursor, Query, ReadPage, read_all_pages
from missedd.web.api.csv_export import csv_header, csv_lines, to_csv
from missedd.web.shared.problems import bad_input
from missedd.web.shared.request_values import RequestTimes, parse_query, wants_csv
from missedd.web.shared.sse import CLIENT_GONE

type ParseQuery = Callable[[Mapping[str, str], RequestTimes], Query]
type ReadAll[T] = Callable[[ReadPage[T], Query], AsyncGenerator[list[T]]]


async def list_response[T: ApiObject](
    name: str,
    read: ReadPage[T],
    of: type[T],
    times: RequestTimes,
    parse_query_args: ParseQuery = parse_query,
    read_all: ReadAll[T] = read_all_pages,
) -> Response:
    """Answer the request at hand with rows of `read`; `name` is the list's, and the CSV file's."""
    as_csv, query = wants_csv(request.args), parse_query_args(request.args, times)
    try:
        if as_csv and not request.args.get("limit"):
            # Before anything is said: a cursor that is none is a problem, not half a file.
            await read(replace(query, limit=1))
            return _csv_response(name, _stream_csv(of, partial(read_all, read, query)))
        page = await read(query)
    except InvalidCursor:
        raise bad_input("cursor", "is not a cursor of this list") from None
    if not as_csv:
        return jsonify({"items": page.items, "next": page.next})
    response = _csv_response(name, to_csv(of, page.items))
    if page.next is not None:
        following = urlencode({**request.args, "cursor": page.next})
        response.headers["Link"] = f'<{request.path}?{following}>; rel="next"'
    return response


def _csv_response(name: str, content: str | AsyncIterator[str]) -> Response:
    is_head = request.method == "HEAD"
    response = Response("" if is_head else content, content_type="text/csv; charset=utf-8")
    # A reader who stops reading is cut off by the listener; one who goes on may take an hour.
    response.timeout = None
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _stream_csv[T: ApiObject](
    of: type[T], all_rows: Callable[[], AsyncGenerator[list[T]]]
) -> AsyncIterator[str]:
    gone: trio.Event = request.scope[CLIENT_GONE]  # type: ignore[typeddict-item] # a key of our own

    async def lines() -> AsyncIterator[str]:
        yield csv_header(of)
        async with aclosing(all_rows()) as pages:
            async for rows in pages:
                if gone.is_set():
                    return
                if rows:
                    yield csv_lines(of, rows)

    return lines()
