"""Turns a claimed action into the provider's request: which number to call, or which SMS to send."""

from __future__ import annotations

from dataclasses import dataclass

from missedd.core.model import Kind
from missedd.core.policy import CallbackPolicy, Policy
from missedd.core.reasons import Reason
from missedd.exotel.client import ExotelClient
from missedd.exotel.request_forms import OutgoingCall, OutgoingSms
from missedd.exotel.request_result import Answer, Refused
from missedd.store.actions.claims import ClaimedAction
from missedd.store.actions.rows import ActionRow, caller_id_of
from missedd.store.actions.sms_text import RenderedSms


@dataclass(frozen=True, slots=True)
class StatusCallbackUrls:
    """The addresses of status reports: the public listener as the provider sees it, the token in the path.

    Example: `https://missedd.example.com/exotel/<token>/call-status/42`.
    """

    public_url: str
    token: str

    def for_action(self, action: ActionRow) -> str:
        page = "call-status" if action.kind is Kind.CALLBACK else "sms-status"
        return f"{self.public_url.rstrip('/')}/exotel/{self.token}/{page}/{action.id}"


class ProviderSender:
    """Sends callbacks and SMS through the provider's client. Network errors are answers, not exceptions."""

    def __init__(self, client: ExotelClient, policy: Policy, urls: StatusCallbackUrls) -> None:
        self._client = client
        self._policy = policy
        self._urls = urls

    async def send(self, claimed: ClaimedAction) -> Answer:
        action = claimed.action
        campaign = self._policy.campaign(action.campaign)
        if campaign is None:
            return Refused(False, "unconfigured", Reason.NO_LONGER_CONFIGURED)
        if action.kind is Kind.CALLBACK and campaign.callback is not None:
            return await self._client.place_call(self._build_call(action, campaign.callback))
        if claimed.rendered_sms is not None:
            return await self._client.send_sms(self._build_sms(action, claimed.rendered_sms))
        return Refused(False, "unconfigured", Reason.NO_LONGER_CONFIGURED)

    def _build_call(self, action: ActionRow, callback: CallbackPolicy) -> OutgoingCall:
        agent = action.details.get("agent")
        if agent is None:
            first, second = action.number, None
        elif action.details.get("first") == "customer":
            first, second = action.number, agent
        else:
            first, second = agent, action.number
        return OutgoingCall(
            from_number=first,
            caller_id=caller_id_of(action),
            to_number=second,
            flow=callback.flow if agent is None else None,
            ring_timeout_s=callback.ring_timeout.total_seconds(),
            time_limit_s=callback.time_limit.total_seconds(),
            status_callback=self._urls.for_action(action),
            custom_field=str(action.id),
        )

    def _build_sms(self, action: ActionRow, rendered: RenderedSms) -> OutgoingSms:
        sms = rendered.policy
        return OutgoingSms(
            sender=sms.sender,
            to_number=action.number,
            body=rendered.text,
            dlt_entity_id=sms.dlt_entity_id,
            dlt_template_id=sms.dlt_template_id,
            sms_type=sms.message_class,
            status_callback=self._urls.for_action(action),
            custom_field=str(action.id),
        )
