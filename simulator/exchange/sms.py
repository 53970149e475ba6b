"""The SMS side: queued, sending, submitted, and then one end, reported once.

Promotional texts wait with the operator outside 10:00 to 21:00 IST (TRAI's hours).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import trio

from simulator.exchange.model.api_requests import SmsRequest
from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.dlt_registry import applet_rejection_code, dlt_rejection_code
from simulator.exchange.model.formats import IST
from simulator.exchange.model.records import Text
from simulator.exchange.model.sms_codes import DELIVERED_CODES, PENDING_CODES, delivery_code, sms_units
from simulator.exchange.webhooks.delivery import WebhookDelivery
from simulator.exchange.webhooks.status_reports import sms_report

PROMOTIONAL_FROM, PROMOTIONAL_UNTIL = time(10), time(21)


class SmsService:
    def __init__(self, state: ExchangeState, webhooks: WebhookDelivery) -> None:
        self._state = state
        self._webhooks = webhooks

    def send(self, request: SmsRequest, via: str = "api") -> Text:
        """Accept a text and send it on its way. Every request makes one, however alike it looks."""
        world, at = self._state, self._state.now()
        text = Text(
            sid=world.new_sid(),
            number=request.number,
            sender=request.sender,
            body=request.body,
            units=sms_units(request.body),
            sent_at=at,
            sms_type=request.sms_type,
            via=via,
            fields=request.fields,
            updated_at=at,
        )
        world.ground_truth.add_text(text)
        world.nursery.start_soon(self._run, text, request, name=f"sms {text.sid}")
        return text

    async def _run(self, text: Text, request: SmsRequest) -> None:
        world = self._state
        for pending in PENDING_CODES[1:]:
            await trio.sleep(world.settings.sms_step_s)
            self._set_code(text, pending)
        code = self._dlt_rejection(request, text.via)
        if code is None:
            if request.sms_type == "promotional":
                await world.sleep_until(next_promotional_time(world.now()))
            await trio.sleep(world.settings.sms_step_s)
            person, is_promotional = world.people.find(text.number), request.sms_type == "promotional"
            code = delivery_code(person, request.sender, is_promotional=is_promotional)
        self._set_code(text, code)
        text.final = True
        if code in DELIVERED_CODES:
            text.delivered_at = world.now()
        webhook = sms_report(text, request)
        if webhook is not None:
            await trio.sleep(world.settings.report_delay_s)
            await self._webhooks.deliver("sms-status", text.sid, webhook)

    def _dlt_rejection(self, request: SmsRequest, via: str) -> int | None:
        templates, strict = self._state.settings.templates, self._state.settings.strict_alphanumeric
        if not templates:
            return None
        if via == "applet":
            return applet_rejection_code(templates, request.body, strict=strict)
        return dlt_rejection_code(
            templates, request.entity_id, request.template_id, request.body, strict=strict
        )

    def _set_code(self, text: Text, code: int) -> None:
        text.code, text.updated_at = code, self._state.now()


def next_promotional_time(at: datetime) -> datetime:
    """`at` itself within the hours for promotional texts, or else the next 10:00 IST."""
    local = at.astimezone(IST)
    if PROMOTIONAL_FROM <= local.time() < PROMOTIONAL_UNTIL:
        return at
    day = local.date() + timedelta(days=1 if local.time() >= PROMOTIONAL_UNTIL else 0)
    return datetime.combine(day, PROMOTIONAL_FROM, tzinfo=IST)
