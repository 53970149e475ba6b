"""The SMS side: queued, sending, submitted, and then one end, reported once.

Promotional texts wait with the operator outside 10:00 to 21:00 IST (TRAI's hours).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import trio

from simulator.exchange.model.api_requests import SmsOrder
from simulator.exchange.model.context import World
from simulator.exchange.model.dlt_registry import applet_code, dlt_code
from simulator.exchange.model.formats import IST
from simulator.exchange.model.records import Text
from simulator.exchange.model.sms_codes import DELIVERED, PENDING, code_of, sms_units
from simulator.exchange.webhooks.delivery import Postman
from simulator.exchange.webhooks.status_reports import sms_report

PROMOTIONAL_FROM, PROMOTIONAL_UNTIL = time(10), time(21)


class Texting:
    def __init__(self, world: World, postman: Postman) -> None:
        self._world = world
        self._postman = postman

    def send(self, order: SmsOrder, via: str = "api") -> Text:
        """Accept a text and send it on its way. Every request makes one, however alike it looks."""
        world, at = self._world, self._world.now()
        text = Text(
            sid=world.new_sid(),
            number=order.number,
            sender=order.sender,
            body=order.body,
            units=sms_units(order.body),
            sent_at=at,
            sms_type=order.sms_type,
            via=via,
            fields=order.fields,
            updated_at=at,
        )
        world.truth.add_text(text)
        world.nursery.start_soon(self._run, text, order, name=f"sms {text.sid}")
        return text

    async def _run(self, text: Text, order: SmsOrder) -> None:
        world = self._world
        for pending in PENDING[1:]:
            await trio.sleep(world.settings.sms_step_s)
            self._move(text, pending)
        code = self._turned_away(order, text.via)
        if code is None:
            if order.sms_type == "promotional":
                await world.sleep_until(promotional_opening(world.now()))
            await trio.sleep(world.settings.sms_step_s)
            person, is_promotional = world.people.find(text.number), order.sms_type == "promotional"
            code = code_of(person, order.sender, is_promotional=is_promotional)
        self._move(text, code)
        text.final = True
        if code in DELIVERED:
            text.delivered_at = world.now()
        webhook = sms_report(text, order)
        if webhook is not None:
            await trio.sleep(world.settings.report_delay_s)
            await self._postman.deliver("sms-status", text.sid, webhook)

    def _turned_away(self, order: SmsOrder, via: str) -> int | None:
        templates, strict = self._world.settings.templates, self._world.settings.strict_alphanumeric
        if not templates:
            return None
        if via == "applet":
            return applet_code(templates, order.body, strict=strict)
        return dlt_code(templates, order.entity_id, order.template_id, order.body, strict=strict)

    def _move(self, text: Text, code: int) -> None:
        text.code, text.updated_at = code, self._world.now()


def promotional_opening(at: datetime) -> datetime:
    """`at` itself within the hours for promotional texts, or else the next 10:00 IST."""
    local = at.astimezone(IST)
    if PROMOTIONAL_FROM <= local.time() < PROMOTIONAL_UNTIL:
        return at
    day = local.date() + timedelta(days=1 if local.time() >= PROMOTIONAL_UNTIL else 0)
    return datetime.combine(day, PROMOTIONAL_FROM, tzinfo=IST)
