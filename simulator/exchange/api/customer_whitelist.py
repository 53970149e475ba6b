"""The customer whitelist: who may be called though they are on the do-not-disturb register.

Who rang an ExoPhone is on it by that (`Type=Customer`); whom a request adds, by the request
(`Type=API`). Either holds for six months. Exotel texts those it adds, so that they may object by a
missed call; that SMS is not simulated, and so nobody is ever on its blacklist.
"""

from __future__ import annotations

from simulator.exchange.api.request import Answer, Request
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import Refusal, require
from simulator.exchange.model.formats import e164


def show(exchange: Exchange, request: Request) -> Answer:
    held = exchange.world.whitelisted(e164(request.last) or "")
    if held is None:
        return Answer({"Result": {"Status": "Neutral", "Type": "", "Expiry": -1}})
    kind, left_s = held
    return Answer({"Result": {"Status": "Whitelist", "Type": kind, "Expiry": left_s}})


def add(exchange: Exchange, request: Request) -> Answer:
    """`VirtualNumber` is an ExoPhone, `Number` a number or several with commas; in the form or the query."""
    world, form = exchange.world, {**request.query, **request.form}
    exophone = require(form, "VirtualNumber")
    if e164(exophone) not in exchange.settings.exophones:
        raise Refusal(400, f"Bad or missing parameters: VirtualNumber {exophone} is not your ExoPhone.")
    given = [text.strip() for text in require(form, "Number").split(",") if text.strip()]
    counts = {"Total": len(given)}
    counts |= dict.fromkeys(("Duplicate", "Processed", "Succeeded", "Redundant", "Failed"), 0)
    seen: set[str] = set()
    for text in given:
        number = e164(text)
        if (number or text) in seen:
            counts["Duplicate"] += 1
            continue
        seen.add(number or text)
        counts["Processed"] += 1
        if number is None:
            counts["Failed"] += 1
        elif world.whitelisted(number) is not None:
            counts["Redundant"] += 1
        else:
            world.added_to_whitelist_at[number] = world.now()
            counts["Succeeded"] += 1
    return Answer({"Result": counts})
