"""A status report turned into one that says the opposite, as a provider in disorder may send it.

The body stays in whatever encoding it has: only the words and codes of its statuses are changed,
so that it is as well-formed as the true one.
"""

from __future__ import annotations

import re
from dataclasses import replace

from simulator.exchange.model.sms_codes import DELIVERED_CODES, PENDING_CODES, SMS_STATES
from simulator.exchange.webhooks.request import OutboundWebhook

_CONTRARY_STATUSES = {
    b"completed": b"no-answer",
    b"no-answer": b"completed",
    b"busy": b"completed",
    b"failed_dnd": b"sent",
    b"failed": b"completed",
    b"canceled": b"completed",
    b"sent": b"failed",
    **{
        b"%d" % code: b"23035" if code in DELIVERED_CODES else b"20005"
        for code in SMS_STATES
        if code not in PENDING_CODES
    },
}
"""`failed` stands for a call's end and an SMS's; an SMS is judged by its code, so the word may be either."""

# A status stands alone: between quotes, at a line's end, or before the next field.
_STATUS_PATTERN = re.compile(rb"(?<![A-Za-z0-9_])(" + b"|".join(_CONTRARY_STATUSES) + rb")(?![A-Za-z0-9_.])")


def contradict_report(report: OutboundWebhook) -> OutboundWebhook:
    """The same report with every status turned round."""
    return replace(report, body=_STATUS_PATTERN.sub(lambda found: _CONTRARY_STATUSES[found[1]], report.body))
