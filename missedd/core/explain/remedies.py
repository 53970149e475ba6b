"""What to do if a call did not bring the expected result: the usual causes, each with its remedy.

No callback is made by campaign "shop": it has no [campaign.callback]; add it, with a flow or agents
The customer did not answer a callback that came 10 minutes after the call; delay = "30s" reaches more people

The remedies come from the call as the API shows it, and from the campaign as it is configured now.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from missedd.base.url_redaction import redact_url
from missedd.core.api_types.actions import ActionJson
from missedd.core.api_types.calls import StoryJson
from missedd.core.model import Kind, Outcome, State, Verdict
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import Reason

MAX_RECOMMENDED_DELAY: Final = timedelta(seconds=60)
"""The longest delay of a callback that the provider recommends."""


def remedies(call: StoryJson, policy: Policy) -> list[str]:
    """What a person can do about a call, each a sentence without its full stop; `call` is as the API shows
    it."""
    campaign = policy.campaign(call.campaign or "")
    if campaign is None:
        return []
    advice = [*_call_remedies(call, campaign)]
    for action in call.actions:
        match action.kind:
            case Kind.CALLBACK:
                advice += _callback_remedies(action, call, campaign)
            case Kind.SMS:
                advice += _sms_remedies(action, campaign)
            case Kind.WEBHOOK:
                advice += _webhook_remedies(action, campaign)
    return list(dict.fromkeys(advice))


def _call_remedies(call: StoryJson, campaign: Campaign) -> Iterator[str]:
    kinds = {action.kind for action in call.actions}
    if call.verdict == Verdict.ACCEPTED and Kind.CALLBACK not in kinds and campaign.callback is None:
        yield (
            f"No callback was triggered, because {campaign.label} does not call back: it has no "
            "[campaign.callback]; add that table, with a flow or agents, if you want callbacks"
        )
    if call.reason == Reason.NO_DEDUP_WINDOW:
        yield (
            f"A caller who calls several times gets several callbacks or SMS, because {campaign.label} has "
            'dedup_window = 0; with dedup_window = "5m" calls in quick succession count as one'
        )


def _callback_remedies(action: ActionJson, call: StoryJson, campaign: Campaign) -> Iterator[str]:
    delay = campaign.callback.delay if campaign.callback else timedelta(0)
    if action.outcome != Outcome.NO_ANSWER or action.retry_index or delay <= MAX_RECOMMENDED_DELAY:
        return
    for attempt in action.attempts[:1]:
        waited = datetime.fromisoformat(attempt.started_at) - datetime.fromisoformat(call.called_at)
        yield (
            f"The customer did not answer a callback that came {_minutes(waited)} after the call. The "
            f'callback delay of {campaign.label} is long; with delay = "15s" to "30s" more people answer'
        )


def _sms_remedies(action: ActionJson, campaign: Campaign) -> Iterator[str]:
    configured = (campaign.sms, campaign.after_hours.sms)
    if action.outcome not in (Outcome.FAILED, Outcome.REFUSED):
        return
    if action.reason in (Reason.SMS_MISCONFIGURED, Reason.TEMPLATE_MISMATCH):
        yield (
            f"The SMS was not delivered because of its DLT registration. Register the text of "
            f"{campaign.label} as a template on the operators' DLT portal, and write the template's id "
            "(dlt_template_id), its text (dlt_template) and the entity's id (dlt_entity_id) into the "
            "configuration; `missedd check` compares the text with the template"
        )
    elif not action.code and any(
        sms and not (sms.dlt_entity_id and sms.dlt_template_id) for sms in configured
    ):
        yield (
            f"The SMS of {campaign.label} has no DLT ids. Register the text as a template on the operators' "
            "DLT portal, and write dlt_entity_id and dlt_template_id into the configuration"
        )


def _webhook_remedies(action: ActionJson, campaign: Campaign) -> Iterator[str]:
    attempts = action.attempts
    is_failing = bool(attempts) and attempts[-1].result not in ("accepted", None)
    is_over = action.state == State.DONE
    if campaign.webhook is None or not is_failing:
        return
    url = redact_url(campaign.webhook.url)
    again = (
        f"; then run `missedd resend --config FILE {action.id}`"
        if is_over
        else "; missedd will send the webhook again by itself"
    )
    yield (
        f"The webhook was not received. Verify that {url} is the right address, and that its server is up "
        f"and answers with a 2xx within 15 seconds{again}"
    )


def _minutes(waited: timedelta) -> str:
    minutes, seconds = divmod(round(waited.total_seconds()), 60)
    return f"{minutes} minutes" if minutes > 1 else f"{minutes * 60 + seconds} seconds"
