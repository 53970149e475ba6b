"""The names that a GET of the API knows: a slip of the pen is a problem, not an answer to something else.

Which parameters it takes is read off the OpenAPI document: neither can know one that the other does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from quart import Blueprint, request

from missedd.core.policy import Policy
from missedd.store.reads.reader import StoreReader, campaigns
from missedd.web.api.schemas import Json
from missedd.web.shared.json_body import reject_unknown_keys
from missedd.web.shared.problems import bad_input


def add_parameter_check(api: Blueprint, read: StoreReader, policy: Policy, openapi: Json) -> None:
    taken = query_parameters(openapi)
    configured = [each.name for each in policy.campaigns]

    @api.before_request
    async def refuse_what_is_not_known() -> None:
        names = taken.get(re.sub("<(.*?)>", r"{\1}", str(request.url_rule)), ())
        if request.method not in ("GET", "HEAD") or not names:
            return
        reject_unknown_keys(request.args.to_dict(), *names)
        # An empty page says itself that there is nothing; figures of nothing look like bad figures.
        if "cursor" not in names:
            await _check_campaign(configured, read)


def query_parameters(openapi: Json) -> dict[str, tuple[str, ...]]:
    """What each path's GET takes in its query, where that is anything."""
    found = {}
    for path, item in openapi["paths"].items():
        parameters = item.get("get", {}).get("parameters", ())
        names = tuple(each["name"] for each in parameters if each["in"] == "query")
        if names:
            found[path] = names
    return found


async def _check_campaign(configured: Iterable[str], read: StoreReader) -> None:
    """Refuse a name that is neither configured nor, from an earlier configuration, in the store."""
    name = request.args.get("campaign")
    if not name or name in configured:
        return
    known = dict.fromkeys([*configured, *await read(campaigns)])
    if name not in known:
        said = repr(name[:100])
        raise bad_input("campaign", f"there is no campaign {said}; known are {', '.join(known) or 'none'}")
