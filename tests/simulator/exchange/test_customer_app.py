"""The simulated application: it takes a webhook in either format, and tells whether it was signed for it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from missedd.base.clock import to_iso
from missedd.core.api_types.webhooks import AcceptedCallJson
from missedd.core.policy import WebhookFormat
from missedd.engine.webhooks.webhook_sender import ENCODERS, missed_call_event, signature
from simulator.exchange.customer_app import CustomerApps
from tests.core.campaigns import CALLER, EXOPHONE, NOON

KEY = b"a key of this test's own"
CALL = AcceptedCallJson("c1", CALLER, EXOPHONE, "shop", to_iso(NOON), to_iso(NOON), "accepted", "first-call")


@pytest.mark.parametrize("of", ENCODERS)
@pytest.mark.parametrize("key", [KEY, b"another"])
async def test_a_missed_call_in_either_format(of: WebhookFormat, key: bytes) -> None:
    application = CustomerApps(lambda: datetime(2026, 11, 23, tzinfo=UTC), KEY)
    content_type, written = ENCODERS[of]
    body = written(missed_call_event(CALL))
    headers = {
        "content-type": content_type,
        "webhook-id": "msg_1",
        "webhook-timestamp": "1",
        "webhook-signature": signature(key, "msg_1", 1, body),
    }
    async with httpx.AsyncClient(transport=application) as client:
        await client.post("http://application/", content=body, headers=headers)
    (message,) = application.accepted_messages()
    assert (message.number, message.payload["type"]) == (CALLER, "missed_call.accepted")
    assert message.is_signed == (key == KEY)
