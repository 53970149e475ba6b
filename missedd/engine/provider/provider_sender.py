"""From a claimed action to the provider's request: which number is rung, with which text."""

from __future__ import annotations

from dataclasses import dataclass

from missedd.core.model import Kind
from missedd.core.policy import CallbackPolicy, Policy
from missedd.core.reasons import Reason
from missedd.exotel.client import ExotelClient
from missedd.exotel.request_forms import PlaceCall, SendSms
from missedd.exotel.request_result import Answer, Refused
from missedd.store.actions.claims import Claimed
from missedd.store.actions.rows import ActionRow, shown_number
from missedd.store.actions.sms_text import Written


@dataclass(frozen=True, slots=True)
class ReportUrls:
    """Where the provider reports to: the public listener as it sees it, with the token in the path."""

    public_url: str
    token: str

    def of(self, action: ActionRow) -> str:
        page = "call-status" if action.kind is Kind.CALLBACK else "sms-status"
        return f"{self.public_url.rstrip('/')}/exotel/{self.token}/{page}/{action.id}"


class ProviderRequests:
    """Sends callbacks and SMS through the provider's client."""

    def __init__(self, client: ExotelClient, policy: Policy, urls: ReportUrls) -> None:
        self._client = client
        self._policy = policy
        self._urls = urls

    async def send(self, claimed: Claimed) -> Answer:
        action = claimed.action
        campaign = self._policy.campaign(action.campaign)
        if campaign is None:
            return Refused(False, "unconfigured", Reason.NO_LONGER_CONFIGURED)
        if action.kind is Kind.CALLBACK and campaign.callback is not None:
            return await self._client.place_call(self._call(action, campaign.callback))
        if claimed.written is not None:
            return await self._client.send_sms(self._sms(action, claimed.written))
        return Refused(False, "unconfigured", Reason.NO_LONGER_CONFIGURED)

    def _call(self, action: ActionRow, callback: CallbackPolicy) -> PlaceCall:
        agent = action.details.get("agent")
        if agent is None:
            first, second = action.number, None
        elif action.details.get("first") == "customer":
            first, second = action.number, agent
        else:
            first, second = agent, action.number
        return PlaceCall(
            from_number=first,
            caller_id=shown_number(action),
            to_number=second,
            flow=callback.flow if agent is None else None,
            ring_timeout_s=callback.ring_timeout.total_seconds(),
            time_limit_s=callback.time_limit.total_seconds(),
            status_callback=self._urls.of(action),
            custom_field=str(action.id),
        )

    def _sms(self, action: ActionRow, written: Written) -> SendSms:
        sms = written.sms
        return SendSms(
            sender=sms.sender,
            to_number=action.number,
            body=written.text,
            dlt_entity_id=sms.dlt_entity_id,
            dlt_template_id=sms.dlt_template_id,
            sms_type=sms.message_class,
            status_callback=self._urls.of(action),
            custom_field=str(action.id),
        )
