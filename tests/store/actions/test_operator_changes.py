"""What an operator changes: webhooks that are sent again, and suppressions."""

from __future__ import annotations

from functools import partial

from missedd.base.clock import to_us
from missedd.core.model import Kind, Lane
from missedd.core.policy import WebhookPolicy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Refused
from missedd.store.actions.operator_changes import resend_webhook
from missedd.store.actions.rows import Timer
from missedd.store.people.suppressions import suppress, unsuppress
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, call, campaign, minutes, policy
from tests.store.steps import DUE, actions, admit_calls, answer_action, claim_actions, placed, rows


async def test_a_parked_webhook_is_sent_again_under_its_first_name(store: Store) -> None:
    of = policy(campaign(webhook=WebhookPolicy("https://crm.example.in/")))
    await admit_calls(store, call(), of=of)
    assert await store.write(partial(resend_webhook, action_id=1, now=DUE)) is None, "it is not parked"
    await claim_actions(store, 1, of=of)
    await answer_action(store, Refused(False, "410", Reason.ENDPOINT_REFUSED), kind=Kind.WEBHOOK)
    assert await store.write(partial(resend_webhook, action_id=1, now=DUE)) == Timer(
        to_us(DUE), 2, Lane.WEBHOOK
    )
    assert await actions(store, "state, reason, origin_id") == [
        ("done", "endpoint-refused", None),
        ("planned", "resent", 1),
    ]
    (again,) = (await claim_actions(store, 2, of=of)).claimed
    assert (again.action.origin_id, again.attempt) == (1, 1)


async def test_only_a_webhook_can_be_sent_again(store: Store) -> None:
    await placed(store, Refused(False, "400", Reason.PROVIDER_REFUSED))
    assert await store.write(partial(resend_webhook, action_id=1, now=DUE)) is None
    assert await store.write(partial(resend_webhook, action_id=77, now=DUE)) is None


async def test_a_suppression_is_one_row_and_can_be_lifted(store: Store) -> None:
    for reason, until in (("asked", None), ("asked again", NOON + minutes(5))):
        await store.write(
            partial(suppress, number=CALLER, reason=reason, source="api", now=NOON, until=until)
        )
    assert await rows(store, "SELECT number, reason, until_at FROM suppressions") == [
        (CALLER, "asked again", to_us(NOON + minutes(5)))
    ]
    assert await store.write(partial(unsuppress, number=CALLER)) is True
    assert await store.write(partial(unsuppress, number=CALLER)) is False
