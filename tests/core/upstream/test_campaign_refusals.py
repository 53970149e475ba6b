"""A campaign that is refused while others are taken is refused for something of its own."""

from __future__ import annotations

from missedd.core.upstream.campaign_refusals import PROVES_FOR_S, OwnRefusals


def test_the_first_refusal_may_be_anybodys() -> None:
    refusals = OwnRefusals()
    refusals.taken("school", 10)
    assert not refusals.is_own("shop", 20), "the account may have been blocked since"


def test_who_is_refused_again_after_another_was_taken_is_alone() -> None:
    refusals = OwnRefusals()
    assert not refusals.is_own("shop", 20)
    refusals.taken("school", 30)
    assert refusals.is_own("shop", 40)
    assert refusals.is_own("shop", 30 + PROVES_FOR_S)
    assert not refusals.is_own("shop", 31 + PROVES_FOR_S), "nobody has been taken for long"
    assert not refusals.is_own("school", 41)


def test_an_order_that_was_out_before_proves_nothing() -> None:
    refusals = OwnRefusals()
    assert not refusals.is_own("shop", 20)
    refusals.taken("school", 19)
    assert not refusals.is_own("shop", 40)


def test_who_is_taken_begins_anew() -> None:
    refusals = OwnRefusals()
    assert not refusals.is_own("shop", 20)
    refusals.taken("school", 30)
    assert refusals.taken("shop", 35)
    assert not refusals.taken("shop", 36)
    assert not refusals.is_own("shop", 40)


def test_a_single_campaign_is_never_alone() -> None:
    refusals = OwnRefusals()
    assert not refusals.is_own("shop", 20)
    refusals.taken("shop", 30)
    assert not refusals.is_own("shop", 40)
    assert not refusals.is_own("shop", 50)
