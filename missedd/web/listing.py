"""A page of a list, as a request asked for it: JSON, or CSV with the next page's address in a Link header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import tzinfo
from urllib.parse import urlencode

from quart import Response, jsonify, request

from missedd.core.pages import BadCursor, Page, Query
from missedd.web.parameters import query_of, wants_csv
from missedd.web.problems import bad_input
from missedd.web.tables import to_csv

type List = Callable[[Query], Awaitable[Page]]
type ReadsQuery = Callable[[Mapping[str, str], tzinfo], Query]


async def listed(
    name: str, read: List, columns: Sequence[str], zone: tzinfo, reads_query: ReadsQuery = query_of
) -> Response:
    """Answer the request at hand with a page of `read`; `name` is the list's, and the CSV file's."""
    as_csv = wants_csv(request.args)
    try:
        page = await read(reads_query(request.args, zone))
    except BadCursor:
        raise bad_input("cursor", "is not a cursor of this list") from None
    if not as_csv:
        return jsonify({"items": page.items, "next": page.next})
    response = Response(to_csv(columns, page.items), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    if page.next is not None:
        following = urlencode({**request.args, "cursor": page.next})
        response.headers["Link"] = f'<{request.path}?{following}>; rel="next"'
    return response
