"""A caller: how their number stands, their calls, and stopping or resuming contact with them."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.pagination import Query
from missedd.core.people.erasure import ErasureRefusal
from missedd.core.people.leads import LeadStatus
from missedd.core.phone import normalise
from missedd.web.api.erasure import explain_refusal
from missedd.web.console.context import ConsoleContext
from missedd.web.console.forms import (
    SUPPRESSION_DURATIONS,
    FormError,
    end_field,
    number_field,
    redirect_back,
    text_field,
)
from missedd.web.console.render import render_page
from missedd.web.shared.actor import current_actor
from missedd.web.shared.problems import Problem

SHOWN_CALLS: Final = 20
CONFIRM_DIGITS: Final = 4
"""The last digits of a number, which its erasure asks for: nothing brings it back."""


def add_numbers(console: Blueprint, context: ConsoleContext) -> None:
    reads, operations = context.reads, context.operations

    @console.get("/numbers/<number>")
    async def number(number: str) -> str:
        spelt = normalise(number)
        if spelt is None:
            raise Problem(404, "This is not a phone number that can be rung.")
        query = Query(number=spelt)
        now = context.clock.now()
        suppressions = [
            each
            for each in (await reads.suppressions(query)).items
            if each["until"] is None or context.to_local(each["until"]) > now
        ]
        return await render_page(
            "number.html",
            number=spelt,
            calls=await reads.number_trace(spelt),
            most=SHOWN_CALLS,
            suppressions=suppressions,
            subscriptions=(await reads.subscriptions(query)).items,
            leads=(await reads.leads(query)).items,
            statuses=tuple(LeadStatus),
            lasts=SUPPRESSION_DURATIONS,
            confirmed_by=CONFIRM_DIGITS,
        )

    @console.post("/suppressions/add")
    async def suppress() -> BaseResponse:
        number = await number_field(or_prefix=True)
        reason = await text_field("why", "why, for whoever asks later")
        ends_at = await end_field(SUPPRESSION_DURATIONS, context.clock.now())
        await operations.suppress(current_actor(), number, reason, ends_at)
        return await redirect_back(f"Nobody contacts {number} any more.")

    @console.post("/suppressions/remove")
    async def unsuppress() -> BaseResponse:
        number = await number_field(or_prefix=True)
        if not await operations.unsuppress(current_actor(), number):
            raise FormError(f"{number} is not suppressed.")
        return await redirect_back(f"{number} may be contacted again.")

    @console.post("/numbers/erase")
    async def erase() -> BaseResponse:
        number = await number_field()
        if (await request.form).get("last", "").strip() != number[-CONFIRM_DIGITS:]:
            raise FormError(f"Nothing is erased: those are not the last {CONFIRM_DIGITS} digits of {number}.")
        erased = await operations.erase(current_actor(), number)
        if isinstance(erased, ErasureRefusal):
            now = context.clock.now()
            why = await explain_refusal(reads, number, erased, now, context.policy.timezone)
            raise FormError(f"{number} is not erased: {why}.")
        return await redirect_back(
            f"{number} is erased; its calls stay counted as those of {erased.pseudonym}."
        )

    @console.post("/leads/<int:lead_id>/status")
    async def mark(lead_id: int) -> BaseResponse:
        status = (await request.form).get("status")
        if status not in tuple(LeadStatus):
            raise FormError("Please choose what the lead is.")
        if not await operations.set_lead_status(current_actor(), lead_id, LeadStatus(status)):
            raise FormError("There is no such lead.")
        return await redirect_back(f"The lead is {status}.")
