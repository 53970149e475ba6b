"""The parameters that Exotel's pages name, resource by resource.

Whatever else a request has was read by nobody: `from` for `From`, `StatusCallbackEvents` without
its index. The truth names it, so that no mistake of a client is lost in silence. Known is not the
same as imitated: `WaitUrl` is known, and nobody hears it.

A name that ends in `[]` may have any index: `To[]` stands for `To[]`, `To[0]`, `To[1]` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NO_PARAMETERS: frozenset[str] = frozenset()

CONNECT = frozenset(
    {
        *("From", "To", "CallerId", "Url", "CallType", "TimeLimit", "TimeOut", "MaxRetries", "WaitUrl"),
        *("Record", "RecordingChannels", "RecordingFormat", "CustomField"),
        *("StartPlaybackToNew", "StartPlaybackValueNew", "StartPlaybackTo", "StartPlaybackValue"),
        *("StreamUrl", "StreamBegin", "StreamType"),
        *("StatusCallback", "StatusCallbackEvents[]", "StatusCallbackContentType"),
    }
)
CONNECT_QUERY = frozenset({"details"})

SHORTEN_URL = frozenset(
    {
        "ShortenUrl",
        *(
            f"ShortenUrlParams[{name}]"
            for name in ("Tracking", "ClickTrackingCallbackUrl", "Header", "CustomDomain", "TimeToExpiry")
        ),
    }
)
SMS = SHORTEN_URL | {
    *("From", "To", "To[]", "Body", "EncodingType", "Priority", "SmsType", "DltEntityId", "DltTemplateId"),
    *("StatusCallback", "StatusCallbackContentType", "CustomField"),
}
BULK_MESSAGE_FIELDS = ("From", "To", "Body", "SmsType", "DltEntityId", "DltTemplateId", "CustomField")
BULK_SMS = (SMS - {"To", "To[]", "Body"}) | {
    *(f"Messages[][{name}]" for name in BULK_MESSAGE_FIELDS),
    *(f"Message[][{name}]" for name in BULK_MESSAGE_FIELDS),
    *(f"sms[][{name}]" for name in BULK_MESSAGE_FIELDS),
}

CALLS = frozenset(
    {
        *("Sid", "DateCreated", "To", "From", "PhoneNumber", "Status", "Direction", "Duration", "Price"),
        *("PageSize", "SortBy", "Before", "After", "details", "RecordingUrlValidity"),
    }
)
CALL = frozenset({"details", "RecordingUrlValidity"})
EXOPHONE = frozenset({"VoiceUrl", "SMSUrl", "FriendlyName"})
WHITELIST = frozenset({"VirtualNumber", "Number", "Language"})

_INDEX = re.compile(r"\[[0-9]*\]")


def unknown_names(names: Iterable[str], known: frozenset[str]) -> list[str]:
    """The names that Exotel does not know, each once, as they were written."""
    return [name for name in dict.fromkeys(names) if _INDEX.sub("[]", name, count=1) not in known]
