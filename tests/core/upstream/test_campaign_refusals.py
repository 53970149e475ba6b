"""If one campaign is refused while others are accepted, the refusal concerns only that campaign."""

from __future__ import annotations

from missedd.core.upstream.campaign_refusals import ACCEPTED_PROOF_S, CampaignRefusals


def test_the_first_refusal_may_be_anybodys() -> None:
    refusals = CampaignRefusals()
    refusals.record_accepted("school", 10)
    assert not refusals.record_refusal("shop", 20), "the account may have been blocked since"


def test_who_is_refused_again_after_another_was_taken_is_alone() -> None:
    refusals = CampaignRefusals()
    assert not refusals.record_refusal("shop", 20)
    refusals.record_accepted("school", 30)
    assert refusals.record_refusal("shop", 40)
    assert refusals.record_refusal("shop", 30 + ACCEPTED_PROOF_S)
    assert not refusals.record_refusal("shop", 31 + ACCEPTED_PROOF_S), "nobody has been taken for long"
    assert not refusals.record_refusal("school", 41)


def test_an_order_that_was_out_before_proves_nothing() -> None:
    refusals = CampaignRefusals()
    assert not refusals.record_refusal("shop", 20)
    refusals.record_accepted("school", 19)
    assert not refusals.record_refusal("shop", 40)


def test_who_is_taken_begins_anew() -> None:
    refusals = CampaignRefusals()
    assert not refusals.record_refusal("shop", 20)
    refusals.record_accepted("school", 30)
    assert refusals.record_accepted("shop", 35)
    assert not refusals.record_accepted("shop", 36)
    assert not refusals.record_refusal("shop", 40)


def test_a_single_campaign_is_never_alone() -> None:
    refusals = CampaignRefusals()
    assert not refusals.record_refusal("shop", 20)
    refusals.record_accepted("shop", 30)
    assert not refusals.record_refusal("shop", 40)
    assert not refusals.record_refusal("shop", 50)
