"""The OpenAPI document: its routes are the API's routes, and answers have the documented shape."""

from __future__ import annotations

import csv
import io
import re

from missedd.core.actions.details import ACTION_DETAILS
from missedd.web.api.openapi import build_document
from tests.store.database import CALLER, NOON
from tests.web.api.documented import conforms, schemas
from tests.web.conftest import Private


async def test_a_story_is_what_the_document_says(private: Private) -> None:
    call = private.db.call("abc")
    action = private.db.done(call, "callback", "answered", placed_at=NOON)
    private.db.put("attempts", action_id=action, number=1, started_at=NOON)
    private.db.put(
        "reports",
        action_id=action,
        provider_sid="x",
        received_at=NOON,
        status="completed",
        source="report",
        effect="applied",
        fields="{}",
    )
    story = await private.json("/api/v1/calls/abc")
    assert list(story)[:8] == [
        *("call_sid", "from", "to", "campaign", "called_at", "received_at", "verdict", "reason"),
    ]
    assert conforms(story, schemas()["Story"])
    assert story["actions"][0]["attempts"][0]["number"] == 1


async def test_what_is_kept_of_an_action(private: Private) -> None:
    details = '{"agent":"+919800000001","first":"agent","talk_s":"8","price":"1.500"}'
    call = private.db.call("abc")
    private.db.done(call, "callback", "answered", placed_at=NOON, details=details)
    private.db.done(call, "sms", "failed", code="23005", details='{"text":"=1+1, \\"so\\"","units":"1"}')
    private.db.done(call, "vote", "recorded", details='{"poll":"singer","option":"Asha"}')
    callback, text, vote = (await private.json("/api/v1/calls/abc"))["actions"]
    assert (callback["agent"], callback["first"], callback["talk_s"]) == ("+919800000001", "agent", 8)
    assert (callback["price"], callback["recording_url"], callback["text"]) == ("1.500", None, None)
    assert (text["text"], text["units"]) == ('=1+1, "so"', 1)
    assert text["code_words"] == "the number is on the Do Not Disturb register"
    assert all(vote[each.name] is None for each in ACTION_DETAILS)
    listed = (await private.json("/api/v1/actions"))["items"]
    assert [each["talk_s"] for each in listed] == [None, None, 8]
    assert conforms(listed[1], schemas()["ListedAction"])
    response = await private.get("/api/v1/actions?format=csv")
    lines = list(csv.DictReader(io.StringIO(await response.get_data(as_text=True))))
    assert set(lines[0]) == set(listed[0])
    assert [(each["talk_s"], each["text"]) for each in lines] == [("", ""), ("", '\'=1+1, "so"'), ("8", "")]
    assert lines[1]["code_words"] == text["code_words"]


async def test_the_audit_record(private: Private) -> None:
    said = {"at": NOON, "source": "cli", "deed": "number.suppressed"}
    private.db.put("audit", subject=CALLER, details='{"reason":"=1+1"}', **said)
    private.db.put("audit", subject="admissions", peer="127.0.0.1", **said | {"deed": "campaign.paused"})
    page = await private.json("/api/v1/audit")
    assert [each["deed"] for each in page["items"]] == ["campaign.paused", "number.suppressed"]
    shape = build_document()["components"]["schemas"]["Audited"]
    assert all(set(each) == set(shape["properties"]) for each in page["items"])
    found = await private.json(f"/api/v1/audit?subject={CALLER.replace('+', '%2B')}")
    assert found["items"][0]["details"] == {"reason": "=1+1"}
    response = await private.get("/api/v1/audit?format=csv")
    lines = list(csv.DictReader(io.StringIO(await response.get_data(as_text=True))))
    assert lines[1]["details"] == '{"reason": "=1+1"}'


async def test_lists_and_figures_are_what_the_document_says(private: Private) -> None:
    call = private.db.call("abc")
    private.db.action(call)
    private.db.lead(call)
    private.db.suppression("+919000000001")
    for path, schema in (
        ("calls", "Call"),
        ("actions", "ListedAction"),
        ("leads", "Lead"),
        ("suppressions", "Suppression"),
    ):
        page = await private.json(f"/api/v1/{path}")
        assert set(page) == {"items", "next"}
        assert len(page["items"]) == 1
        assert conforms(page["items"][0], schemas()[schema]), path
    figures = await private.json("/api/v1/analytics")
    assert conforms(figures, schemas()["Figures"])
    assert figures["peak_hours"][12] == {"hour": 12, "calls": 1}


async def test_the_document_has_every_route_and_no_other(private: Private) -> None:
    served = {
        (re.sub("<(.*?)>", r"{\1}", rule.rule), method.lower())
        for rule in private.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    told = {(path, method) for path, item in build_document()["paths"].items() for method in item}
    assert served == told
    assert await private.json("/api/openapi.json") == build_document()


def test_each_operation_is_named_with_a_verb_and_a_noun() -> None:
    document = build_document()
    paths = [*document["paths"].values(), *document["webhooks"].values()]
    names = [operation["operationId"] for path in paths for operation in path.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)+", name) for name in names)
