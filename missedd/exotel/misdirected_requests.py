"""Requests of other Exotel products that use the missed-call address by mistake.

    # a Voicebot or Stream applet's dynamic URL     HangupLatencyStartTime=… CallTo=08047120001, no CallType
    # AgentStream                                   EventType=stream-start StreamSid=… StreamUrl=wss://…
    # Integration Core (JSON)                       AppUserID CallState=active CallSid VirtualNumber
    # CCM (JSON)                                    {"event_details": {…}, "call_details": {"call_sid"}}
    # a Connect applet's dial-whom URL (JSON)       {"Call": {"Sid", "From"}}
    # Heartbeat (JSON)                              {"status_type": "CRITICAL", "incoming_affected": [...]}

None of them is a missed call. None blocks its CallSid either, as the Passthru of the same call may come
later. They get a 200, so that Exotel does not send them again. The log tells the operator which setting of
Exotel's dashboard to correct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from missedd.exotel.webhook_fields import first_value, first_word


@dataclass(frozen=True, slots=True)
class OtherProduct:
    """`setting` names the place in Exotel's dashboard where the wrong address is set."""

    name: str
    setting: str


VOICEBOT: Final = OtherProduct(
    "voicebot", "the URL of a Voicebot or Stream applet in App Bazaar: it must be the URL of your bot"
)
AGENT_STREAM: Final = OtherProduct(
    "agent-stream", "the address for events of AgentStream: it must be the address of your bot"
)
INTEGRATION_CORE: Final = OtherProduct(
    "integration-core", "the webhook URL of your Integration Core (WebRTC) application"
)
CCM: Final = OtherProduct("ccm", "the StatusCallback that your application gives to CCM's calls (v2, v3)")
DIAL_WHOM: Final = OtherProduct(
    "dial-whom", "the dial-whom URL of a Connect applet in App Bazaar: its answer must be phone numbers"
)
HEARTBEAT: Final = OtherProduct("heartbeat", "the webhook URL of ExoPhone Heartbeat alerts")
CAMPAIGNS: Final = OtherProduct("campaigns", "a status callback that your application gives to campaigns")
SMS: Final = OtherProduct("sms", "the StatusCallback that your application gives to SMS")


def _lacks(*names: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda fields: first_value(fields, *names) == ""


def _always(fields: Mapping[str, str]) -> bool:
    return True


# A Passthru has a CallType, whatever else an applet before it may add.
_SIGNATURES: Final[Mapping[str, tuple[OtherProduct, Callable[[Mapping[str, str]], bool]]]] = {
    "HangupLatencyStartTime": (VOICEBOT, _lacks("CallType", "StartTime")),
    "HangupLatencyStartTimeExocc": (VOICEBOT, _lacks("CallType", "StartTime")),
    "StreamSid": (AGENT_STREAM, _lacks("CallType")),
    "EventType": (AGENT_STREAM, lambda fields: first_word(fields, "EventType").startswith("stream-")),
    "CallState": (INTEGRATION_CORE, _lacks("CallType")),
    "AppUserID": (INTEGRATION_CORE, _lacks("CallType")),
    "event_details[event_type]": (CCM, _always),
    "call_details[call_sid]": (CCM, _always),
    "call_details[direction]": (CCM, _always),
    "Call[Sid]": (DIAL_WHOM, _always),
    "Call[From]": (DIAL_WHOM, _always),
    "status_type": (HEARTBEAT, _lacks("CallSid")),
    "campaign_sid": (CAMPAIGNS, _lacks("CallSid")),
    "SmsSid": (SMS, _lacks("CallSid")),
}
"""The field that identifies each product, and a further condition."""


def identify_product(fields: Mapping[str, str]) -> OtherProduct | None:
    """The other product that sent a request with these fields; None for a request about a call."""
    if fields.keys().isdisjoint(_SIGNATURES):
        return None
    for mark, (product, is_so) in _SIGNATURES.items():
        if mark in fields and is_so(fields):
            return product
    return None
