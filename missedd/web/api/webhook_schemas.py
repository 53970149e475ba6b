"""What an application is sent, for machines: the `webhooks` of the OpenAPI document.

The bodies are made in `missedd.engine.webhooks.webhook_sender`.
"""

from __future__ import annotations

from typing import Final

from missedd.core.api_types.webhooks import ACCEPTED, VERIFIED
from missedd.web.api.openapi_parts import in_header, operation, request_body
from missedd.web.api.schemas import TEXT, Json

_HEADERS: Final = (
    in_header("webhook-id", TEXT | {"description": "The same however often it is sent, by hand too."}),
    in_header("webhook-timestamp", TEXT | {"description": "Of this sending: seconds since 1970 UTC."}),
    in_header(
        "webhook-signature",
        TEXT
        | {
            "description": "`v1,` and base64 of HMAC-SHA256, by the key of MISSEDD_WEBHOOK_SECRET, over "
            "`webhook-id.webhook-timestamp.body`: https://www.standardwebhooks.com"
        },
    ),
)
_ANSWERS: Final[Json] = {
    "2XX": {"description": "Taken."},
    "410": {"description": "Never again: parked at once, until an operator sends it again."},
    "default": {
        "description": "Sent again, as is what finds no answer in 15 seconds: after 5 seconds first, then "
        "ever more rarely, no sooner than `Retry-After` asks; parked after twelve tries in about four days.",
    },
}


def webhooks() -> Json:
    return {
        ACCEPTED: _webhook_operation(
            "receiveAcceptedCall",
            "A call was accepted by a campaign with [campaign.webhook]",
            "MissedCallAccepted",
        ),
        VERIFIED: _webhook_operation(
            "receiveVerification",
            "A call proved a number that the application asked about",
            "VerificationVerified",
        ),
    }


def _webhook_operation(name: str, summary: str, schema: str) -> Json:
    # Not by the API's token: whoever is sent one knows us by the signature.
    return {"post": operation(name, summary, _ANSWERS, *_HEADERS) | request_body(schema) | {"security": []}}
