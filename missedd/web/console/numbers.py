"""A caller: how their number stands, their calls, and stopping or resuming contact with them."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.pagination import Query
from missedd.core.people.erasure import NotErased
from missedd.core.people.leads import LeadStatus
from missedd.core.phone import normalise
from missedd.web.api.erasure import refusal_in_words
from missedd.web.console.context import House
from missedd.web.console.forms import SUPPRESSIONS, Mistake, done, line, typed_number, until
from missedd.web.console.render import page
from missedd.web.shared.actor import acting
from missedd.web.shared.problems import Problem

CALLS: Final = 20
CONFIRMED_BY: Final = 4
"""The last digits of a number, which its erasure asks for: nothing brings it back."""


def add_numbers(console: Blueprint, house: House) -> None:
    reads, operations = house.reads, house.operations

    @console.get("/numbers/<number>")
    async def number(number: str) -> str:
        spelt = normalise(number)
        if spelt is None:
            raise Problem(404, "This is not a phone number that can be rung.")
        query = Query(number=spelt)
        now = house.clock.now()
        suppressions = [
            each
            for each in (await reads.suppressions(query)).items
            if each["until"] is None or house.local(each["until"]) > now
        ]
        return await page(
            "number.html",
            number=spelt,
            calls=await reads.story_of_number(spelt),
            most=CALLS,
            suppressions=suppressions,
            subscriptions=(await reads.subscriptions(query)).items,
            leads=(await reads.leads(query)).items,
            statuses=tuple(LeadStatus),
            lasts=SUPPRESSIONS,
            confirmed_by=CONFIRMED_BY,
        )

    @console.post("/suppressions/add")
    async def suppress() -> BaseResponse:
        number = await typed_number(or_prefix=True)
        reason = await line("why", "why, for whoever asks later")
        ends_at = await until(SUPPRESSIONS, house.clock.now())
        await operations.suppress(acting(), number, reason, ends_at)
        return await done(f"Nobody contacts {number} any more.")

    @console.post("/suppressions/remove")
    async def unsuppress() -> BaseResponse:
        number = await typed_number(or_prefix=True)
        if not await operations.unsuppress(acting(), number):
            raise Mistake(f"{number} is not suppressed.")
        return await done(f"{number} may be contacted again.")

    @console.post("/numbers/erase")
    async def erase() -> BaseResponse:
        number = await typed_number()
        if (await request.form).get("last", "").strip() != number[-CONFIRMED_BY:]:
            raise Mistake(f"Nothing is erased: those are not the last {CONFIRMED_BY} digits of {number}.")
        erased = await operations.erase(acting(), number)
        if isinstance(erased, NotErased):
            now = house.clock.now()
            why = await refusal_in_words(reads, number, erased, now, house.policy.timezone)
            raise Mistake(f"{number} is not erased: {why}.")
        return await done(f"{number} is erased; its calls stay counted as those of {erased.pseudonym}.")

    @console.post("/leads/<int:lead_id>/status")
    async def mark(lead_id: int) -> BaseResponse:
        status = (await request.form).get("status")
        if status not in tuple(LeadStatus):
            raise Mistake("Please choose what the lead is.")
        if not await operations.mark_lead(acting(), lead_id, LeadStatus(status)):
            raise Mistake("There is no such lead.")
        return await done(f"The lead is {status}.")
