"""A call's story in words: what an SMS came to, with the provider's code and what that means."""

from __future__ import annotations

from typing import Any

import pytest

from missedd.core.explain import story
from tests.core.campaigns import NOON
from tests.core.test_timeline import AT, action, call, words


def told(**changes: Any) -> list[str]:
    report = {"received_at": AT.format(36), "source": "report", "status": "failed", "code": "23185"}
    failed = {"kind": "sms", "state": "done", "outcome": "failed", "reason": "sms-misconfigured"}
    facts = action(**failed | {"code": "23185", "reports": [report | {"effect": "applied"}]} | changes)
    return [line.strip() for line in story(call(facts), NOON, "Asia/Kolkata", words).splitlines()]


def test_a_rejected_text_tells_its_code_and_its_meaning() -> None:
    lines = told()
    assert (
        "sms (action 7): failed; the operators refuse every such SMS until somebody corrects its sender, "
        "entity or template [sms-misconfigured]."
    ) in lines
    assert "Code 23185: the text does not match." in lines
    assert "report at 2026-11-23 12:06:00 IST: failed 23185, applied" in lines


def test_a_code_that_nobody_knows_is_told_as_it_is() -> None:
    assert "Code 23999." in told(code="23999", reason="sms-failed")


@pytest.mark.parametrize("changes", [{"outcome": "delivered"}, {"code": None}, {"kind": "callback"}])
def test_nothing_else_has_such_a_code(changes: dict[str, Any]) -> None:
    assert not any(line.startswith("Code") for line in told(**changes))
