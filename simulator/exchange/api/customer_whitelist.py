"""The customer whitelist: who may be called though they are on the do-not-disturb register.

Who rang an ExoPhone is on it by that (`Type=Customer`); whom a request adds, by the request
(`Type=API`). Either holds for six months. Exotel texts those it adds, so that they may object by a
missed call; that SMS is not simulated, and so nobody is ever on its blacklist.
"""

from __future__ import annotations

from simulator.exchange.api.request import ApiAnswer, Request
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import RestException, require
from simulator.exchange.model.formats import parse_number


def show(exchange: Exchange, request: Request) -> ApiAnswer:
    held = exchange.state.whitelist_entry(parse_number(request.last_segment) or "")
    if held is None:
        return ApiAnswer({"Result": {"Status": "Neutral", "Type": "", "Expiry": -1}})
    kind, left_s = held
    return ApiAnswer({"Result": {"Status": "Whitelist", "Type": kind, "Expiry": left_s}})


def add(exchange: Exchange, request: Request) -> ApiAnswer:
    """`VirtualNumber` is an ExoPhone, `Number` a number or several with commas; in the form or the query."""
    world, form = exchange.state, {**request.query, **request.form}
    exophone = require(form, "VirtualNumber")
    if parse_number(exophone) not in exchange.settings.exophones:
        raise RestException(400, f"Bad or missing parameters: VirtualNumber {exophone} is not your ExoPhone.")
    given = [text.strip() for text in require(form, "Number").split(",") if text.strip()]
    counts = {"Total": len(given)}
    counts |= dict.fromkeys(("Duplicate", "Processed", "Succeeded", "Redundant", "Failed"), 0)
    seen: set[str] = set()
    for text in given:
        number = parse_number(text)
        if (number or text) in seen:
            counts["Duplicate"] += 1
            continue
        seen.add(number or text)
        counts["Processed"] += 1
        if number is None:
            counts["Failed"] += 1
        elif world.whitelist_entry(number) is not None:
            counts["Redundant"] += 1
        else:
            world.added_to_whitelist_at[number] = world.now()
            counts["Succeeded"] += 1
    return ApiAnswer({"Result": counts})
