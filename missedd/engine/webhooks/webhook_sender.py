"""Outgoing webhooks to the operator's application, as the Standard Webhooks specification says.

Each message has an id, a timestamp, and a signature over both and the body
(https://www.standardwebhooks.com). The id stays the same in every retry, so the application can recognise
a repeat. The signature proves that missedd sent the message.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import urlencode

import httpx
import msgspec
import trio

from missedd.base.clock import Clock
from missedd.base.url_redaction import redact_url
from missedd.base.version import __version__
from missedd.core.api_types.verifications import VerificationJson
from missedd.core.api_types.webhooks import (
    ACCEPTED,
    VERIFIED,
    AcceptedCallJson,
    MissedCallAcceptedJson,
    ProvedNumberJson,
    VerificationVerifiedJson,
)
from missedd.core.policy import Policy, WebhookFormat
from missedd.core.reasons import Reason
from missedd.core.upstream.endpoint_concurrency import MAX_REQUESTS
from missedd.engine.dispatch.attempt_result import Withheld
from missedd.exotel.dates import format_ist
from missedd.exotel.network_errors import classify_failure
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.exotel.response_codes import parse_retry_after_s
from missedd.store.actions.claims import ClaimedAction
from missedd.store.actions.rows import ActionRow
from missedd.store.admission.call_row import fetch_call
from missedd.store.people.verifications import fetch_verification
from missedd.store.store import Store

TIMEOUT_S: Final = 15.0
"""Providers wait the same time for the answer to their webhooks."""

CONNECT_TIMEOUT_S: Final = 5.0
"""Three SYNs (0, 1 and 3 s) and a TLS handshake. An application that is slower gets a retry later."""


def signature(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; the timestamp is Unix time in seconds."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


type WebhookEvent = MissedCallAcceptedJson | VerificationVerifiedJson


def missed_call_event(call: AcceptedCallJson) -> MissedCallAcceptedJson:
    """The event of a missed call. Times are RFC 3339 in UTC."""
    return MissedCallAcceptedJson(ACCEPTED, call.called_at, call)


def verification_event(verification: VerificationJson) -> VerificationVerifiedJson:
    """The event of a number that a call has verified. Times are RFC 3339 in UTC."""
    if verification.verified_at is None or verification.call_sid is None:
        raise AssertionError(f"verification {verification.id} was not verified by a call")
    proved = ProvedNumberJson(
        id=verification.id,
        number=verification.number,
        campaign=verification.campaign,
        call_sid=verification.call_sid,
        verified_at=verification.verified_at,
        status=verification.status,
    )
    return VerificationVerifiedJson(VERIFIED, proved.verified_at, proved)


def encode_json(event: WebhookEvent) -> bytes:
    return json.dumps(msgspec.to_builtins(event), separators=(",", ":")).encode()


def encode_form(event: WebhookEvent) -> bytes:
    """The event as the parameters of Exotel's own missed-call webhook, for applications that expect those.

    A verification has `Status=verified` and its `VerificationId`. `DateCreated` is in India's time.
    """
    at = format_ist(datetime.fromisoformat(event.timestamp))
    match event.data:
        case AcceptedCallJson() as call:
            fields = {
                "CallSid": call.call_sid,
                "From": call.from_,
                "To": call.to,
                "Status": "missed-call",
                "DateCreated": at,
                "Campaign": call.campaign,
            }
        case ProvedNumberJson() as proved:
            fields = {
                "CallSid": proved.call_sid,
                "From": proved.number,
                "Status": proved.status,
                "DateCreated": at,
                "Campaign": proved.campaign,
                "VerificationId": proved.id,
            }
    return urlencode(fields).encode()


ENCODERS: Final = {
    WebhookFormat.JSON: ("application/json", encode_json),
    WebhookFormat.FORM: ("application/x-www-form-urlencoded", encode_form),
}


def new_webhook_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The HTTP client for one `WebhookSender`. `transport` replaces the network in a simulation."""
    return httpx.AsyncClient(
        transport=transport,
        # The dispatcher starts a request only if a slot is free, so no request waits here.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=MAX_REQUESTS),
        timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        trust_env=False,
    )


class WebhookSender:
    """Sends the webhook of a claimed action. The dispatcher decides what follows from the answer."""

    def __init__(
        self, http: httpx.AsyncClient, signing_key: bytes | None, store: Store, policy: Policy, clock: Clock
    ) -> None:
        """`signing_key` is set in every configuration with a webhook."""
        self._http = http
        self._signing_key = signing_key
        self._store = store
        self._policy = policy
        self._clock = clock

    async def send(self, claimed: ClaimedAction, why_not_send: Callable[[], str | None]) -> Answer | Withheld:
        """Post the webhook, unless `why_not_send` has a reason once the body is loaded."""
        action = claimed.action
        campaign = self._policy.campaign(action.campaign)
        if campaign is None or campaign.webhook is None:
            return Refused(False, "unconfigured", Reason.NO_LONGER_CONFIGURED)
        content_type, encode = ENCODERS[campaign.webhook.format]
        body = encode(await self._load_event(action))
        message_id = f"msg_{action.origin_id or action.id}"
        timestamp_s = int(self._clock.now().timestamp())
        headers = {
            "content-type": content_type,
            "user-agent": f"missedd/{__version__}",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
        }
        if self._signing_key is not None:
            headers["webhook-signature"] = signature(self._signing_key, message_id, timestamp_s, body)
        if (why_not := why_not_send()) is not None:
            return Withheld(why_not)
        return await self._post(campaign.webhook.url, body, headers)

    async def _load_event(self, action: ActionRow) -> WebhookEvent:
        verification_id = action.details.get("verification")
        if verification_id is None:
            return missed_call_event(await self._store.read(partial(fetch_call, call_id=action.call_id)))
        verification = await self._store.read(partial(fetch_verification, verification_id=verification_id))
        if verification is None:
            raise AssertionError(f"verification {verification_id} of action {action.id} is gone")
        return verification_event(verification)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        try:
            with trio.fail_after(TIMEOUT_S):
                async with self._http.stream("POST", url, content=body, headers=headers) as response:
                    # Only the status matters. Do not read the body, as it may be endless.
                    return _read_answer(response, redact_url(url), self._clock.now())
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, trio.TooSlowError) as error:
            # `InvalidURL`, and the `UnicodeError` of an impossible host name, are no `HTTPError`.
            failure = classify_failure(error)
            message = f"{redact_url(url)}: {failure.words}"
            if isinstance(error, httpx.InvalidURL):
                return Refused(False, failure.code, Reason.ENDPOINT_FAILED, message)
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | UnicodeError):
                return Refused(True, failure.code, Reason.ENDPOINT_FAILED, message)
            return Unknown(failure.code, Reason.ENDPOINT_FAILED, message)


def _read_answer(response: httpx.Response, shown_url: str, now: datetime) -> Answer:
    code = str(response.status_code)
    if response.is_success:
        return Accepted(code=code)
    # In Standard Webhooks 410 means "never again". Every other failure may be repaired by the application.
    return Refused(
        retryable=response.status_code != 410,
        code=code,
        reason=Reason.ENDPOINT_REFUSED,
        message=f"{shown_url}: it answered {code}",
        retry_after_s=parse_retry_after_s(response.headers.get("retry-after"), now),
    )
