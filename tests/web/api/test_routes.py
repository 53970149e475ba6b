"""The API as its users meet it: pages, filters, CSV, changes, and problems that name the field."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from missedd.base.clock import from_us
from missedd.core.actions.details import ACTION_DETAILS
from missedd.core.actions.resolution import Resolution
from missedd.core.model import Outcome
from missedd.web.api.openapi import build_document
from tests.store.database import CALLER, NOON
from tests.web.conftest import Private


def schemas() -> dict[str, Any]:
    """Every shape that the document knows, by name."""
    found: dict[str, Any] = build_document()["components"]["schemas"]
    return found


def conforms(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value has exactly the keys that the document promises, all the way down."""
    if "$ref" in schema:
        return conforms(value, schemas()[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return any(conforms(value, each) for each in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    match schema["type"]:
        case "object":
            known = schema["properties"]
            return (
                isinstance(value, dict)
                and set(schema["required"]) <= set(value) <= set(known)
                and all(conforms(each, known[key]) for key, each in value.items())
            )
        case "array":
            return isinstance(value, list) and all(conforms(each, schema["items"]) for each in value)
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int)
        case "null":
            return value is None
    return value is None or isinstance(value, int | float)


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


async def test_pages_follow_their_cursors(private: Private) -> None:
    for n in range(5):
        private.db.call(f"c{n}", NOON + timedelta(seconds=n))
    found, path = [], "/api/v1/calls?limit=2"
    cursor = ""
    while cursor is not None:
        page = await private.json(path + (f"&cursor={cursor}" if cursor else ""))
        found += [each["call_sid"] for each in page["items"]]
        cursor = page["next"]
    assert found == ["c4", "c3", "c2", "c1", "c0"]


@pytest.mark.parametrize("number", ["%2B919876543210", "+919876543210", "09876543210", "98765 43210"])
async def test_a_number_is_found_in_any_spelling(private: Private, number: str) -> None:
    private.db.call("mine")
    private.db.call("other", caller="+919000000001")
    page = await private.json(f"/api/v1/calls?number={number}")
    assert [each["call_sid"] for each in page["items"]] == ["mine"]


@pytest.mark.parametrize(
    "period",
    [
        "since=2026-11-23T12:00:00%2B05:30",
        "since=2026-11-23T12:00:00+05:30",
        "since=2026-11-23T06:30:00Z",
        "since=2026-11-23T12:00",
        "since=2026-11-23&until=2026-11-24",
    ],
)
async def test_instants_in_any_spelling_local_time_if_they_do_not_say(private: Private, period: str) -> None:
    private.db.call("before", NOON - timedelta(hours=13))
    private.db.call("at")
    page = await private.json(f"/api/v1/calls?{period}")
    assert [each["call_sid"] for each in page["items"]] == ["at"]
    assert (await private.json(f"/api/v1/analytics?{period}"))["total_calls"] == 1


async def test_a_list_for_a_spreadsheet(private: Private) -> None:
    for n in range(3):
        private.db.suppression(f"+91900000000{n}", NOON + timedelta(seconds=n), reason='=HYPERLINK("x"), "y"')
    response = await private.get("/api/v1/suppressions?format=csv&limit=2")
    assert response.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(await response.get_data(as_text=True))))
    assert [row["number"] for row in rows] == ["+919000000002", "+919000000001"]
    assert rows[0]["reason"] == '\'=HYPERLINK("x"), "y"'
    assert rows[0]["until"] == ""
    following = re.fullmatch(r'<(.*)>; rel="next"', response.headers["Link"])
    assert following
    text = await (await private.get(following[1])).get_data(as_text=True)
    assert [row["number"] for row in csv.DictReader(io.StringIO(text))] == ["+919000000000"]


@pytest.mark.parametrize("name", ["calls", "actions", "leads", "suppressions"])
async def test_each_list_has_its_columns_also_when_it_is_empty(private: Private, name: str) -> None:
    text = await (await private.get(f"/api/v1/{name}?format=csv")).get_data(as_text=True)
    columns = text.strip().split(",")
    item = {"calls": "Call", "actions": "ListedAction", "leads": "Lead", "suppressions": "Suppression"}[name]
    assert set(columns) == set(schemas()[item]["properties"])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("calls?limit=0", "limit"),
        ("calls?limit=1001", "limit"),
        ("calls?limit=ten", "limit"),
        ("calls?limit=%D9%A7", "limit"),
        ("calls?number=anonymous", "number"),
        ("calls?since=yesterday", "since"),
        ("calls?until=2026-13-01", "until"),
        ("calls?since=0001-01-01T00:00:00%2B23:59", "since"),
        ("calls?since=2026-11-24&until=2026-11-23", "until"),
        ("calls?cursor=nonsense", "cursor"),
        ("leads?format=xml", "format"),
        ("actions?kind=tea", "kind"),
        ("actions?state=lost", "state"),
        ("actions?outcome=lost", "outcome"),
        ("actions?parked=1", "parked"),
        ("actions?settled=no", "settled"),
        ("analytics?since=x", "since"),
    ],
)
async def test_bad_input_is_a_problem_that_names_the_field(private: Private, path: str, field: str) -> None:
    response = await private.get(f"/api/v1/{path}")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    problem = await response.get_json(force=True)
    assert (problem["status"], problem["field"]) == (400, field)
    assert problem["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("path", ["/api/v1/calls/none", "/api/v1/nothing", "/api/", "/api/v2/calls"])
async def test_what_is_not_there_is_a_problem(private: Private, path: str) -> None:
    response = await private.get(path)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


async def test_a_wrong_method_says_which_are_right(private: Private) -> None:
    response = await private.app.test_client().put("/api/v1/suppressions")
    assert (response.status_code, response.content_type) == (405, "application/problem+json")
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


async def test_suppressing_and_letting_go(private: Private) -> None:
    client = private.app.test_client()
    body = {"number": "098765 43210", "reason": "asked by phone", "until": "2026-12-01T00:00:00+05:30"}
    response = await client.post("/api/v1/suppressions", json=body)
    assert response.status_code == 201
    told = await response.get_json()
    assert told == {"number": CALLER, "reason": "asked by phone", "until": "2026-11-30T18:30:00.000Z"}
    reason, until = private.operator.suppressed[CALLER]
    assert (reason, until) == ("asked by phone", from_us(1_796_063_400_000_000))
    for spelling, status in (("09876543210", 204), ("+919876543210", 404), ("nobody", 400)):
        assert (await client.delete(f"/api/v1/suppressions/{spelling}")).status_code == status
    response = await client.post(
        "/api/v1/suppressions", json={"number": CALLER, "reason": "x", "until": None}
    )
    assert response.status_code == 201
    assert private.operator.suppressed[CALLER] == ("x", None)


@pytest.mark.parametrize("spelt", ["+232*", "00232*", "+232 *", "\u202a+２３２*\u202c", " +232*"])
async def test_suppressing_all_that_begin_alike(private: Private, spelt: str) -> None:
    client = private.app.test_client()
    response = await client.post("/api/v1/suppressions", json={"number": spelt, "reason": "fraud"})
    assert (response.status_code, (await response.get_json())["number"]) == (201, "+232*")
    assert private.operator.suppressed == {"+232*": ("fraud", None)}
    assert (await client.delete("/api/v1/suppressions/%2B232*")).status_code == 204
    assert private.operator.suppressed == {}


async def test_a_number_that_only_a_prefix_bars(private: Private) -> None:
    private.db.suppression("+232*", reason="fraud")
    private.db.put(
        "suppressions",
        **{"number": CALLER, "channel": "sms", "class": "sender", "sender": "EXAMPL", "reason": "sms 23020"},
        source="provider",
        since_at=NOON,
    )
    client = private.app.test_client()
    response = await client.delete("/api/v1/suppressions/+23276123456")
    assert response.status_code == 404
    told = await response.get_json(force=True)
    assert told["detail"] == "the number is not suppressed by itself, but by +232*"
    (listed,) = (await private.json("/api/v1/suppressions?number=%2B23276123456"))["items"]
    assert (listed["number"], listed["channel"], listed["class"]) == ("+232*", "all", None)
    text = await (await private.get("/api/v1/suppressions?format=csv")).get_data(as_text=True)
    rows = {row["number"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["+232*"]["class"] == ""
    assert (rows[CALLER]["class"], rows[CALLER]["sender"]) == ("sender", "EXAMPL")
    assert len((await private.json("/api/v1/suppressions?number=%2B232*"))["items"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"number": "+*", "reason": "x"}, "number"),
        ({"number": "*", "reason": "x"}, "number"),
        ({"number": "080*", "reason": "x"}, "number"),
        ({"number": "+23*2", "reason": "x"}, "number"),
        ({"reason": "x"}, "number"),
        ({"number": 98, "reason": "x"}, "number"),
        ({"number": "anonymous", "reason": "x"}, "number"),
        ({"number": CALLER}, "reason"),
        ({"number": CALLER, "reason": "  "}, "reason"),
        ({"number": CALLER, "reason": "x" * 501}, "reason"),
        ({"number": CALLER, "reason": "\ud800"}, "reason"),
        ({"number": CALLER, "reason": "x", "until": "later"}, "until"),
        ({"number": CALLER, "reason": "x", "until": 5}, "until"),
        ({"number": CALLER, "reason": "x", "until": "2020-01-01"}, "until"),
        ({"number": CALLER, "reason": "x", "untill": "2027-01-01"}, "untill"),
    ],
)
async def test_a_bad_suppression_is_refused(private: Private, body: dict[str, Any], field: str) -> None:
    response = await private.app.test_client().post("/api/v1/suppressions", json=body)
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field
    assert private.operator.suppressed == {}


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"number": "+919876543210", "reason": "x"}', "text/plain", 415),
        (b"number=1", "application/x-www-form-urlencoded", 415),
        (b" " * 300_000, "application/json", 413),
    ],
)
async def test_a_body_that_is_no_json_object(
    private: Private, data: bytes, content_type: str, status: int
) -> None:
    response = await private.app.test_client().post(
        "/api/v1/suppressions", data=data, headers={"Content-Type": content_type}
    )
    assert (response.status_code, response.content_type) == (status, "application/problem+json")


async def test_resending_a_parked_webhook(private: Private) -> None:
    client = private.app.test_client()
    private.operator.parked[7] = 9
    response = await client.post("/api/v1/actions/7/resend")
    assert (response.status_code, await response.get_json()) == (202, {"id": 9})
    for action_id, status in (
        ("8", 404),
        ("0", 400),
        ("x", 400),
        ("9" * 30, 400),
        ("9223372036854775808", 400),
        ("0" * 19 + "1" + "9" * 30, 400),
    ):
        assert (await client.post(f"/api/v1/actions/{action_id}/resend")).status_code == status


async def test_what_waits_for_a_person_and_what_did(private: Private) -> None:
    db, call = private.db, private.db.call("a")
    taken_later, never_taken, waiting = (
        db.done(call, "webhook", outcome) for outcome in ("failed", "failed", "refused")
    )
    db.done(call, "webhook", "delivered", origin_id=taken_later)
    once_more = db.done(call, "webhook", "failed", origin_id=never_taken)
    db.done(call, "sms", "failed")
    unknown = db.done(call, "callback", "unknown")
    settled = db.done(call, "callback", "unknown", settled_outcome="busy")
    db.action(call)

    async def ids(query: str) -> list[int]:
        return [each["id"] for each in (await private.json(f"/api/v1/actions?{query}"))["items"]]

    assert await ids("parked=true") == [once_more, waiting]
    assert await ids("parked=false") == [never_taken, taken_later]
    assert await ids("parked=true&outcome=refused&campaign=admissions") == [waiting]
    assert await ids("settled=false") == await ids("outcome=unknown&settled=false") == [unknown]
    assert await ids("settled=true") == [settled]
    assert await ids("parked=true&settled=false") == []
    assert await ids("outcome=unknown&parked=&settled=") == [settled, unknown]
    page = await private.json("/api/v1/actions?parked=true&limit=1")
    assert await ids(f"parked=true&limit=1&cursor={page['next']}") == [waiting]


async def test_settling_an_unknown_outcome(private: Private) -> None:
    client = private.app.test_client()
    body = {"outcome": "answered", "note": " she told us so "}
    response = await client.post("/api/v1/actions/7/settle", json=body)
    assert response.status_code == 200
    told = await response.get_json()
    assert told == {"id": 7, "outcome": "unknown", "settled_outcome": "answered"}
    assert conforms(told, schemas()["Settled"])
    private.operator.settlement = Resolution.UNCHANGED
    assert (await client.post("/api/v1/actions/8/settle", json={"outcome": "failed"})).status_code == 200
    assert private.operator.resolved == [
        (7, Outcome.ANSWERED, "she told us so"),
        (8, Outcome.FAILED, None),
    ]


@pytest.mark.parametrize(
    ("settlement", "status", "field"),
    [
        (Resolution.NO_SUCH_ACTION, 404, None),
        (Resolution.NOT_UNKNOWN, 409, None),
        (Resolution.SETTLED_OTHERWISE, 409, None),
        (Resolution.WRONG_OUTCOME, 400, "outcome"),
    ],
)
async def test_what_cannot_be_settled_says_why(
    private: Private, settlement: Resolution, status: int, field: str | None
) -> None:
    private.operator.settlement = settlement
    response = await private.app.test_client().post("/api/v1/actions/7/settle", json={"outcome": "busy"})
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert (await response.get_json(force=True)).get("field") == field


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("x", {"outcome": "busy"}, "id"),
        ("7", {}, "outcome"),
        ("7", {"outcome": "unknown"}, "outcome"),
        ("7", {"outcome": ["busy"]}, "outcome"),
        ("7", {"outcome": "busy", "note": "two\nlines"}, "note"),
        ("7", {"outcome": "busy", "note": 5}, "note"),
        ("7", {"outcome": "busy", "notes": "x"}, "notes"),
    ],
)
async def test_a_bad_settlement_is_refused(
    private: Private, path: str, body: dict[str, Any], field: str
) -> None:
    response = await private.app.test_client().post(f"/api/v1/actions/{path}/settle", json=body)
    assert response.status_code == 400
    assert (await response.get_json(force=True))["field"] == field
    assert private.operator.resolved == []


async def test_a_page_of_another_site_may_change_nothing(private: Private) -> None:
    private.operator.parked[7] = 9
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 202), ("none", 202)):
        response = await private.app.test_client().post(
            "/api/v1/actions/7/resend", headers={"Sec-Fetch-Site": site}
        )
        assert response.status_code == status


async def test_our_own_mistakes_are_told_and_answered(private: Private) -> None:
    private.operator.error = ZeroDivisionError("secret")
    body = {"number": CALLER, "reason": "x"}
    response = await private.app.test_client().post("/api/v1/suppressions", json=body)
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert "secret" not in await response.get_data(as_text=True)
    assert [(path, type(error)) for path, error in private.failures] == [
        ("/api/v1/suppressions", ZeroDivisionError)
    ]


async def test_health_readiness_and_metrics(private: Private) -> None:
    health = await private.get("/healthz")
    assert (health.status_code, await health.get_data(as_text=True)) == (200, "ok")
    assert (await private.get("/readyz")).status_code == 200
    private.ready.append("the store has not recovered yet")
    waiting = await private.get("/readyz")
    assert (waiting.status_code, await waiting.get_data(as_text=True)) == (
        503,
        "the store has not recovered yet",
    )
    private.db.action(private.db.call("abc"))
    private.metrics.calls.add("accepted")
    private.metrics.calls.add("accepted", by=2)
    private.metrics.closed.add("callback", "answered")
    private.metrics.agent_misses.add("admissions", "agent-busy")
    private.metrics.acknowledgement.observe(0.004)
    private.metrics.acknowledgement.observe(99)
    response = await private.get("/metrics")
    assert response.content_type.startswith("text/plain; version=0.0.4")
    lines = (await response.get_data(as_text=True)).splitlines()
    for line in (
        'missedd_calls_total{verdict="accepted"} 3.0',
        'missedd_actions_closed_total{kind="callback",outcome="answered"} 1.0',
        'missedd_agent_misses_total{campaign="admissions",reason="agent-busy"} 1.0',
        'missedd_acknowledgement_seconds_bucket{le="0.0025"} 0.0',
        'missedd_acknowledgement_seconds_bucket{le="0.005"} 1.0',
        'missedd_acknowledgement_seconds_bucket{le="+Inf"} 2.0',
        "missedd_acknowledgement_seconds_count 2.0",
        'missedd_actions_open{kind="callback",state="planned"} 1.0',
        "missedd_next_wake_seconds 30.0",
        "missedd_suppressions 0.0",
    ):
        assert line in lines
    with pytest.raises(ValueError, match="label"):
        private.metrics.calls.add()
