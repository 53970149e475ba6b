"""JSON examples are what the program sends, and code examples do what the page says of them."""

from __future__ import annotations

import base64
import json
import re
import time
import tomllib
from typing import Any

import pytest

from missedd.core.actions.lifecycle import mermaid_diagram
from missedd.engine.webhooks.webhook_sender import signature
from missedd.web.api.openapi import build_document
from tests.docs.markdown import ROOT, Block, blocks_in, page
from tests.web.api.documented import conforms, schemas

KEY = b"a secret of twenty-four b"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = b'{"type":"missed_call.accepted"}'


@pytest.mark.parametrize("block", blocks_in("json"), ids=str)
def test_each_json_example_can_be_read(block: Block) -> None:
    json.loads(block.text)


def test_the_page_about_webhooks_shows_every_event_as_it_is_sent() -> None:
    events = [json.loads(block.text) for block in page("docs/webhooks.md").blocks if block.language == "json"]
    shown = {event["type"]: event for event in events}
    assert set(shown) == set(build_document()["webhooks"])
    assert conforms(shown["missed_call.accepted"], schemas()["MissedCallAccepted"])
    assert conforms(shown["verification.verified"], schemas()["VerificationVerified"])


def _verifies(headers: dict[str, str], body: bytes = BODY) -> Any:
    (block,) = (block for block in page("docs/webhooks.md").blocks if block.language == "python")
    scope: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), scope)
    return scope["is_from_missedd"](SECRET, headers, body)


def _headers(late_s: int = 0, key: bytes = KEY) -> dict[str, str]:
    sent_at = int(time.time()) - late_s
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(key, "msg_1", sent_at, BODY),
    }


def test_the_page_about_webhooks_verifies_what_we_sign() -> None:
    assert _verifies(_headers())


@pytest.mark.parametrize(
    ("headers", "body"),
    [(_headers(key=b"another"), BODY), (_headers(late_s=400), BODY), (_headers(), BODY + b" ")],
    ids=["another key", "too old", "another body"],
)
def test_the_page_about_webhooks_refuses_what_we_did_not_sign_just_now(
    headers: dict[str, str], body: bytes
) -> None:
    assert not _verifies(headers, body)


def test_the_life_of_an_action_is_drawn_from_the_table() -> None:
    assert f"```mermaid\n{mermaid_diagram()}\n```" in page("docs/concepts.md").text


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    reasons = page("docs/architecture.md").text.partition("## Dependencies")[2]
    extras = project.get("optional-dependencies", {}).values()
    for requirement in [*project["dependencies"], *(name for extra in extras for name in extra)]:
        name = re.split(r"[<>=\[]", requirement)[0]
        assert name in reasons or name == project["name"], name
