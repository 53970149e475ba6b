"""The history of a call in words: the result of an SMS, the provider's code and its meaning."""

from __future__ import annotations

from typing import Any

import pytest

from missedd.core.explain.call import explain_call
from tests.core.campaigns import NOON
from tests.core.explain.test_timeline import AT, action, attempt, call, report, words


def told(**changes: Any) -> list[str]:
    told = report(36, source="report", status="failed", code="23185")
    failed = {"kind": "sms", "state": "done", "outcome": "failed", "reason": "sms-misconfigured"}
    facts = action(**failed | {"code": "23185", "reports": [told]} | changes)
    return [line.strip() for line in explain_call(call(facts), NOON, "Asia/Kolkata", words).splitlines()]


def test_a_rejected_text_tells_its_code_and_its_meaning() -> None:
    lines = told()
    assert (
        "sms (action 7): failed; the mobile operators refuse every such SMS until its sender, entity or "
        "template is corrected [sms-misconfigured]."
    ) in lines
    assert "Code 23185: the text does not match." in lines
    assert "report at 2026-11-23 12:06:00 IST: failed 23185, applied" in lines


def test_a_code_that_nobody_knows_is_told_as_it_is() -> None:
    assert "Code 23999." in told(code="23999", reason="sms-failed")


AT_33 = "2026-11-23 12:03:00 IST"


@pytest.mark.parametrize(
    ("kind", "said", "line"),
    [
        (
            *("callback", {"code": "200", "reason": "provider-accepted"}),
            f"attempt 1 at {AT_33}: accepted by the provider at {AT_33}, 200: "
            "the provider accepted the request; its status report is awaited [provider-accepted]",
        ),
        ("webhook", {}, f"attempt 1 at {AT_33}: accepted by the application at {AT_33}"),
        (
            *("sms", {"result": "refused", "code": "429", "reason": "rate-limited", "message": "slow down"}),
            f"attempt 1 at {AT_33}: not accepted at {AT_33}, 429: "
            "the provider's rate limit was reached [rate-limited] (slow down)",
        ),
        (
            *("callback", {"result": "unknown", "reason": "reply-lost", "finished_at": None}),
            f"attempt 1 at {AT_33}: it is not known whether it was accepted: "
            "the request was sent but no answer came; the result will be looked up [reply-lost]",
        ),
        ("callback", {"result": None, "finished_at": None}, f"attempt 1 at {AT_33}: no answer yet"),
    ],
)
def test_an_answer_to_a_request_is_not_the_customers(kind: str, said: dict[str, Any], line: str) -> None:
    tried = attempt(33, **{"finished_at": AT.format(33)} | said)
    assert line in told(kind=kind, attempts=[tried])


def test_what_is_kept_of_an_action_is_told() -> None:
    lines = told(kind="callback", agent="+919800000001", talk_s=8, price="1.500", text=None)
    assert [line for line in lines if line.startswith(("Agent", "Talk", "Price", "Text"))] == [
        *("Agent: +919800000001", "Talk time: 8 s", "Price: 1.500"),
    ]


@pytest.mark.parametrize("changes", [{"outcome": "delivered"}, {"code": None}, {"kind": "callback"}])
def test_nothing_else_has_such_a_code(changes: dict[str, Any]) -> None:
    assert not any(line.startswith("Code") for line in told(**changes))
