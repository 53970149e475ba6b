"""ExoPhones, the whitelist, what is not simulated, and parameters that nobody reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
import trio
from trio.testing import MockClock

from missedd.exotel.call_list import query_from_numbers, query_incoming
from missedd.exotel.request_forms import OutgoingCall, OutgoingSms, call_form, sms_form
from simulator.exchange.api import known_parameters
from simulator.exchange.api.known_parameters import unknown_names
from simulator.exchange.model.people import Person, RingResponse

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
CUSTOMER, AGENT, EXOPHONE = "+919876543210", "+919811111111", "+918047120001"
ROOT = "http://exotel.test"
FLOW = "http://my.exotel.com/example1/exoml/start_voice/7"


async def test_exophones_of_v2_beta(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.exophones = ("+918047120001", "+918047120002")
    path = f"{ROOT}/v2_beta/Accounts/example1/IncomingPhoneNumbers"
    listed = await bench.client.get(path)
    assert listed.headers["content-type"] == "application/json"
    first, second = listed.json()["incoming_phone_numbers"]
    assert (listed.json()["page"], listed.json()["page_size"]) == (0, 50)
    assert first == {
        "sid": "08047120001",
        "phone_number": "+918047120001",
        "friendly_name": "08047120001",
        "capabilities": {"voice": True, "sms": True},
        "country": "IN",
        "region": "KA",
        "voice_url": None,
        "sms_url": None,
    }
    form = {"VoiceUrl": FLOW, "FriendlyName": "Front desk", "friendlyname": "x"}
    changed = await bench.client.put(f"{path}/{second['sid']}", data=form)
    assert (changed.json()["voice_url"], changed.json()["friendly_name"]) == (FLOW, "Front desk")
    assert (await bench.client.get(f"{path}/+918047120002.json")).json() == changed.json()
    assert bench.exchange.ground_truth.api_requests[1].ignored == ["friendlyname"]
    unknown = await bench.client.get(f"{path}/08047120009")
    assert (unknown.status_code, "08047120009" in unknown.json()["RestException"]["Message"]) == (404, True)
    assert (await bench.client.put(f"{path}/08047120001", data={"VoiceUrl": "flow 7"})).status_code == 400


async def test_exophones_of_v1_and_their_heartbeat(bench: Any, autojump_clock: MockClock) -> None:
    (listed,) = (await bench.client.get("IncomingPhoneNumbers.json")).json()["IncomingPhoneNumbers"]
    assert listed["IncomingPhoneNumber"]["PhoneNumber"] == "08047120001"
    one = ElementTree.fromstring((await bench.client.get("IncomingPhoneNumbers/08047120001")).text)
    assert one.findtext("IncomingPhoneNumber/Sid") == "08047120001"
    path = f"{ROOT}/v2/accounts/example1/incoming-phone-numbers/08047120001"
    beat = (await bench.client.get(path)).json()
    assert (beat["http_code"], beat["response"]["status"]) == (200, "success")
    connectivity = beat["response"]["data"]["connectivity"]
    assert connectivity["outgoing_call"] == {"status": "active", "last_check_time": "2026-11-23 12:00:00"}


async def test_the_whitelist_lets_a_registered_number_be_called(
    bench: Any, autojump_clock: MockClock
) -> None:
    bench.exchange.people.add(Person(CUSTOMER, dnd=True))
    assert (await bench.connect()).status_code == 403
    form = {"VirtualNumber": "08047120001", "Number": "09876543210,+919876543210,12"}
    added = await bench.client.post("CustomerWhitelist.json", data=form)
    assert added.json()["Result"] == {
        "Total": 3,
        "Duplicate": 1,
        "Processed": 2,
        "Succeeded": 1,
        "Redundant": 0,
        "Failed": 1,
    }
    assert (await bench.connect()).status_code == 200
    again = await bench.client.post("CustomerWhitelist/", params=form | {"Number": CUSTOMER})
    assert ElementTree.fromstring(again.text).findtext("Result/Redundant") == "1"
    shown = (await bench.client.get("CustomerWhitelist/09876543210.json")).json()["Result"]
    assert (shown["Status"], shown["Type"]) == ("Whitelist", "API")
    assert 0 < 183 * 86400 - shown["Expiry"] < 5
    await trio.sleep(184 * 86400)
    assert (await bench.connect()).status_code == 403
    for wrong in ({"VirtualNumber": "08047129999"}, {"Number": ""}):
        refused = await bench.client.post("CustomerWhitelist.json", data=form | wrong)
        assert refused.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/accounts/example1/campaigns", 404),
        ("POST", "/v2/accounts/example1/contacts", 404),
        ("GET", "/v2/Accounts/example1/users", 404),
        ("GET", "/v3/accounts/example1/calls", 404),
        ("POST", "/v2_beta/Accounts/example1/IncomingPhoneNumbers", 405),
        ("GET", "/v2_beta/Accounts/example1/AvailablePhoneNumbers", 404),
        ("GET", "/v1/Accounts/example1/Balance.json", 404),
        ("DELETE", "/v1/Accounts/example1/CustomerWhitelist/09876543210.json", 405),
        ("GET", "/v1/Accounts/example1/Calls/some/Legs.json", 404),
        ("GET", "/v1/Accounts/example1.json", 404),
        ("GET", "/v9/Accounts/example1/Calls", 400),
        ("GET", "/favicon.ico", 404),
        ("POST", "/", 404),
    ],
)
async def test_what_is_not_simulated_says_so_in_json(
    bench: Any, autojump_clock: MockClock, method: str, path: str, status: int
) -> None:
    answer = await bench.client.request(method, ROOT + path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    body = answer.json()
    if path.startswith(("/v2/", "/v3/")):
        assert (body["http_code"], body["method"], len(body["request_id"])) == (status, method, 32)
        assert body["response"]["status"] == "failure"
        words = body["response"]["error_data"]["description"]
    else:
        words = body["RestException"]["Message"]
    assert "not simulated" in words


async def test_v1_says_it_in_xml(bench: Any, autojump_clock: MockClock) -> None:
    answer = await bench.client.get("Balance")
    root = ElementTree.fromstring(answer.text)
    assert answer.status_code == 404
    assert "not simulated" in (root.findtext("RestException/Message") or "")
    lower = await bench.client.get(f"{ROOT}/v1/accounts/example1/Calls")
    assert (lower.status_code, lower.headers["content-type"]) == (400, "application/xml")


async def test_wrong_credentials_of_v2_come_in_its_envelope(bench: Any, autojump_clock: MockClock) -> None:
    bench.client.auth = ("simkey", "wrong")
    refused = await bench.client.get(f"{ROOT}/v2/accounts/example1/campaigns")
    assert (refused.status_code, refused.json()["response"]["error_data"]["code"]) == (401, 1010)


async def test_the_account_sid_may_be_the_user(bench: Any, autojump_clock: MockClock) -> None:
    bench.client.auth = ("example1", "simtoken")
    assert (await bench.client.get("Calls.json")).status_code == 200


async def test_a_parameter_that_nobody_reads_is_in_the_truth(bench: Any, autojump_clock: MockClock) -> None:
    await bench.connect_two(
        statuscallback="http://x/1", StatusCallbackEvents="terminal", WaitUrl="http://x/w"
    )
    await bench.connect_two(**{"StatusCallbackEvents[0]": "terminal", "StatusCallbackEvents[]": "answered"})
    await bench.sms(Sender="EXAMPL", **{"ShortenUrlParams[Tracking]": "true"})
    await bench.client.get("Calls.json?pagesize=2&PageSize=2")
    await bench.client.get("Numbers/09876543210.json?Details=true")
    assert [request.ignored for request in bench.exchange.ground_truth.api_requests] == [
        ["statuscallback", "StatusCallbackEvents"],
        [],
        ["Sender"],
        ["pagesize"],
        ["Details"],
    ]
    assert bench.exchange.ground_truth.as_json()["api_requests"][0]["ignored"][1] == "StatusCallbackEvents"
    refused = await bench.connect_two(**{"StatusCallbackEvents[0]": "ended"})
    assert (refused.status_code, "answered" in refused.json()["RestException"]["Message"]) == (400, True)


async def test_lists_filter_by_duration_and_price(bench: Any, autojump_clock: MockClock) -> None:
    talked = (await bench.connect_two()).json()["Call"]["Sid"]  # 57 s: two rings and 45 s of talk
    bench.exchange.people.add(Person("+919800000002", answers=RingResponse.BUSY))
    short = (await bench.connect_two(From="+919800000002")).json()["Call"]["Sid"]

    async def found(**query: str) -> list[str]:
        page = await bench.client.get("Calls.json", params=query)
        return [call["Sid"] for call in page.json()["Calls"]]

    assert await found(Duration="gte:0s") == []
    await trio.sleep(300)
    assert await found(Duration="gte:10s;lte:60s") == [talked]
    assert await found(Duration="eq:57") == [talked]
    assert await found(Duration="lt:10s") == [short]
    assert await found(Price="gte:0.10;lte:1.0") == [talked]
    assert await found(Price="eq:0") == [short]
    assert await found(SortBy="DateCreated:asc") == [talked, short]
    assert await found(DateCreated="eq:2026-11-23 12:00:00") == [short, talked]
    for wrong in (
        {"Duration": "10s"},
        {"Duration": "gte:long"},
        {"Price": "gte:much"},
        {"SortBy": "Duration:asc"},
        {"Status": "answered"},
        {"Direction": "incoming"},
        {"RecordingUrlValidity": "99"},
    ):
        assert (await bench.client.get("Calls.json", params=wrong)).status_code == 400, wrong


async def test_rows_name_the_exophone_and_recordings_may_be_signed(
    bench: Any, autojump_clock: MockClock
) -> None:
    sid = (await bench.connect_two()).json()["Call"]["Sid"]
    await trio.sleep(300)
    (row,) = (await bench.client.get("Calls.json")).json()["Calls"]
    assert (row["PhoneNumber"], "PreSignedRecordingUrl" in row) == ("08047120001", False)
    signed = (await bench.client.get(f"Calls/{sid}.json?RecordingUrlValidity=5")).json()["Call"]
    assert signed["PreSignedRecordingUrl"].startswith(f"{signed['RecordingUrl']}?Expires=")
    for wrong in ("4", "61", "soon"):
        refused = await bench.client.get(f"Calls/{sid}.json?RecordingUrlValidity={wrong}")
        assert refused.status_code == 400


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("Calls.json", {"DateCreated": "gte:0001-01-01 00:00:00"}),
        ("Calls.json", {"Price": "gte:NaN"}),
        ("Calls.json", {"Duration": "gte:" + "9" * 5000}),
        ("Calls.json", {"PageSize": "9" * 5000}),
        ("Calls.json", {"Sid": ",".join(["a"] * 101)}),
    ],
)
async def test_what_cannot_be_read_is_refused(
    bench: Any, autojump_clock: MockClock, path: str, query: dict[str, str]
) -> None:
    await bench.connect_two()
    assert (await bench.client.get(path, params=query)).status_code == 400


async def test_forms_that_cannot_be_read_are_refused(bench: Any, autojump_clock: MockClock) -> None:
    assert (await bench.connect(TimeOut="9" * 5000)).status_code == 400
    long_index = {f"Messages[{'9' * 5000}][To]": CUSTOMER}
    assert (await bench.client.post("Sms/bulksend.json", data=long_index)).status_code == 400
    deep, headers = "[" * 100_000, {"content-type": "application/json"}
    refused = await bench.client.post("Sms/bulksend.json", content=deep, headers=headers)
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (400, 40202)


def test_the_daemon_sends_nothing_that_nobody_reads() -> None:
    report = "http://daemon.test/report"
    order = {"time_limit_s": 60, "status_callback": report, "custom_field": "a1"}
    two = call_form(OutgoingCall(CUSTOMER, EXOPHONE, to_number=AGENT, **order), "example1")  # type: ignore[arg-type]
    flow = call_form(OutgoingCall(CUSTOMER, EXOPHONE, flow="7", **order), "example1")  # type: ignore[arg-type]
    text = sms_form(
        OutgoingSms("EXAMPL", CUSTOMER, "Hi.", "9", "8", status_callback=report, custom_field="a1")
    )
    assert unknown_names([*two, *flow], known_parameters.CONNECT) == []
    assert unknown_names(text, known_parameters.SMS) == []
    asked = {**query_from_numbers((CUSTOMER,), START, START), **query_incoming(START, START)}
    assert unknown_names(asked, known_parameters.CALLS) == []
