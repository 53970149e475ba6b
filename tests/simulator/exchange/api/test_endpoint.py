"""The API as a client meets it: credentials, errors, formats, details, lists, limits."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import httpx
import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.model.people import Person
from simulator.exchange.model.settings import DltTemplate

CUSTOMER = "+919876543210"


@pytest.mark.parametrize(
    ("auth", "status", "code"),
    [
        (("simkey", "wrong"), 401, 34010),
        (("sim-key", "simtoken"), 400, 34001),
        (None, 401, None),
    ],
)
async def test_credentials(bench: Any, autojump_clock: MockClock, auth: Any, status: int, code: int) -> None:
    bench.client.auth = auth
    refused = await bench.client.get("Calls.json")
    assert refused.status_code == status
    error = refused.json()["RestException"]
    assert error["Status"] == status
    assert error.get("Code") == code


async def test_other_accounts_and_versions(bench: Any, autojump_clock: MockClock) -> None:
    other = await bench.client.get("http://exotel.test/v1/Accounts/other/Calls.json")
    assert (other.status_code, other.json()["RestException"]["Code"]) == (403, 34009)
    assert (await bench.client.get("http://exotel.test/v9/Calls")).status_code == 400


async def test_xml_is_the_default_and_json_escapes_slashes(bench: Any, autojump_clock: MockClock) -> None:
    form = {"From": CUSTOMER, "CallerId": "08047120001", "Url": "http://my.exotel.com/exoml/start/7"}
    answer = await bench.client.post("Calls/connect", data=form)
    assert answer.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(answer.text)
    assert root.tag == "TwilioResponse"
    assert root.findtext("Call/Status") == "in-progress"
    assert root.findtext("Call/EndTime") == ""
    as_json = await bench.client.post("Calls/connect.json", data=form)
    assert r"\/v1\/Accounts\/example1" in as_json.text
    assert as_json.json()["Call"]["EndTime"] is None
    error = ElementTree.fromstring((await bench.client.get("Calls/none")).text)
    assert error.findtext("RestException/Status") == "404"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"from": CUSTOMER, "CallerId": "08047120001", "Url": "http://x/1"}, "'From' parameter is required"),
        ({"From": CUSTOMER, "CallerId": "08047120001"}, "'To' and 'Url'"),
        ({"From": CUSTOMER, "CallerId": "08047129999", "Url": "http://x/1"}, "not your ExoPhone"),
        ({"From": "12", "CallerId": "08047120001", "Url": "http://x/1"}, "From"),
        ({"From": CUSTOMER, "CallerId": "08047120001", "Url": "http://x/1", "TimeOut": "soon"}, "TimeOut"),
    ],
)
async def test_connect_validates(
    bench: Any, autojump_clock: MockClock, form: dict[str, str], words: str
) -> None:
    refused = await bench.client.post("Calls/connect.json", data=form)
    assert refused.status_code == 400
    assert words in refused.json()["RestException"]["Message"]
    assert bench.exchange.ground_truth.connects == []


async def test_paths_are_case_sensitive(bench: Any, autojump_clock: MockClock) -> None:
    assert (await bench.client.post("calls/connect.json", data={})).status_code == 404
    assert (await bench.client.post("Sms/sent.json", data={})).status_code == 405


async def test_two_identical_requests_make_two_calls(bench: Any, autojump_clock: MockClock) -> None:
    sids = [(await bench.connect()).json()["Call"]["Sid"] for _ in range(2)]
    assert sids[0] != sids[1]
    assert all(re.fullmatch(r"[0-9a-z]{28}20bn", sid) for sid in sids)
    assert [call.sid for call in bench.exchange.ground_truth.connects] == sids
    assert [request.sid for request in bench.exchange.ground_truth.api_requests] == sids


async def test_details_lag(bench: Any, autojump_clock: MockClock) -> None:
    sid = (await bench.connect_two()).json()["Call"]["Sid"]
    await trio.sleep(70)  # 6 s ringing twice, 45 s of talk: it is over
    early = (await bench.client.get(f"Calls/{sid}.json?details=true")).json()["Call"]
    assert bench.exchange.ground_truth.connects[0].status == "completed"
    assert (early["Status"], early["EndTime"], early["Price"]) == ("in-progress", None, None)
    assert early["Details"]["Leg2Status"] is None
    await trio.sleep(120)
    late = (await bench.client.get(f"Calls/{sid}.json?details=true")).json()["Call"]
    assert (late["Status"], late["Duration"], late["To"]) == ("completed", "57", "09876543210")
    assert late["EndTime"] == "2026-11-23 12:00:57"
    assert late["Details"] == {
        "ConversationDuration": 45,
        "Leg1Status": "completed",
        "Leg2Status": "completed",
        "Legs": [{"Leg": {"Id": 1, "OnCallDuration": 51}}, {"Leg": {"Id": 2, "OnCallDuration": 45}}],
    }


async def test_list_filters(bench: Any, autojump_clock: MockClock) -> None:
    first = (await bench.connect()).json()["Call"]["Sid"]
    await trio.sleep(60)
    bench.exchange.ring_in("+919800000001")
    second = (await bench.connect(From="+919811111111")).json()["Call"]["Sid"]

    async def found(**query: str) -> list[str]:
        page = (await bench.client.get("Calls.json", params=query)).json()
        return [call["Sid"] for call in page["Calls"]]

    missed = bench.exchange.ground_truth.inbound[0].call_sid
    assert await found() == [second, missed, first]
    assert await found(SortBy="DateCreated:asc") == [first, missed, second]
    assert await found(From="+919811111111,+919800000001") == [second, missed]
    assert await found(Direction="inbound", Status="completed") == [missed]
    assert await found(Sid=f"{first},{missed}") == [missed, first]
    assert await found(DateCreated="gte:2026-11-23 12:00:30;lte:2026-11-23 23:59:59") == [second, missed]
    assert await found(DateCreated="lte:2026-11-23 12:00:30") == [first]
    assert await found(PhoneNumber="+918047120001", To="+918047120001") == [second, missed, first]
    refused = await bench.client.get("Calls.json", params={"DateCreated": "gte:yesterday"})
    assert refused.status_code == 400


async def test_an_incoming_call_is_listed_once_it_has_ended_and_once(
    bench: Any, autojump_clock: MockClock
) -> None:
    missed = bench.exchange.ring_in("+919800000001")
    bench.exchange.ring_in("+919800000002", shape="answered")
    bench.exchange.ring_in("+919800000001", call_sid=missed.call_sid)

    async def listed() -> list[dict[str, Any]]:
        page = (await bench.client.get("Calls.json?Direction=inbound&details=true")).json()
        found: list[dict[str, Any]] = page["Calls"]
        return found

    assert [each["Sid"] for each in await listed()] == [missed.call_sid]
    await trio.sleep(60)
    talked, nobody = await listed()
    assert (nobody["Status"], nobody["Details"]["Leg2Status"]) == ("completed", None)
    assert (talked["Status"], talked["Duration"]) == ("completed", "45")
    assert talked["Details"] == {
        "ConversationDuration": 45,
        "Leg1Status": "completed",
        "Leg2Status": "completed",
        "Legs": [],
    }
    assert all(b"919800000002" not in each.url.encode() for each in bench.posted)


async def test_list_pages(bench: Any, autojump_clock: MockClock) -> None:
    for _ in range(5):
        await bench.connect()
    sids = [call.sid for call in reversed(bench.exchange.ground_truth.connects)]
    uri, seen = "/v1/Accounts/example1/Calls.json?PageSize=2", []
    while uri:
        page = (await bench.client.get(f"http://exotel.test{uri}")).json()
        seen.append([call["Sid"] for call in page["Calls"]])
        uri = page["Metadata"]["NextPageUri"]
    assert seen == [sids[:2], sids[2:4], sids[4:]]
    previous = dict(parse_qsl(urlsplit(page["Metadata"]["PrevPageUri"]).query))
    back = (await bench.client.get("Calls.json", params=previous)).json()
    assert [call["Sid"] for call in back["Calls"]] == sids[2:4]


async def test_voice_budget_slides_and_includes_look_ups(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.calls_per_minute = 3
    bench.settings.api_latency_s = 0
    await bench.connect()
    await trio.sleep(30)
    await bench.connect()
    await bench.client.get("Calls.json")
    refused = await bench.connect()
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    await trio.sleep(30)  # exactly a minute after the first
    assert (await bench.connect()).status_code == 200
    assert (await bench.connect()).status_code == 429
    assert bench.exchange.ground_truth.max_requests_per_minute() == 5
    assert bench.exchange.ground_truth.max_calls_in_window() == 2
    bench.settings.retry_after_s = 30
    assert (await bench.connect()).headers["retry-after"] == "30"


async def test_dnd_numbers_only_after_they_called(bench: Any, autojump_clock: MockClock) -> None:
    person = bench.exchange.people.add(Person(CUSTOMER, dnd=True))
    refused = await bench.connect()
    assert refused.status_code == 403
    assert "TRAI NDNC" in refused.json()["RestException"]["Message"]
    bench.exchange.ring_in(person)
    assert (await bench.connect()).status_code == 200
    shown = await bench.client.get("CustomerWhitelist/09876543210.json")
    assert shown.json()["Result"]["Type"] == "Customer"
    number = await bench.client.get("Numbers/%2B919876543210.json")
    assert number.json()["Numbers"]["DND"] == "Yes"


async def test_sms_goes_its_way(bench: Any, autojump_clock: MockClock) -> None:
    sent = (await bench.sms(StatusCallback="http://daemon.test/sms?k=1", CustomField="a 1")).json()[
        "SMSMessage"
    ]
    assert (sent["Status"], sent["DetailedStatusCode"], sent["DateSent"]) == ("queued", 21010, None)
    codes = []
    for _ in range(4):
        shown = (await bench.client.get(f"SMS/Messages/{sent['Sid']}.json")).json()["SMSMessage"]
        codes.append(shown["DetailedStatusCode"])
        await trio.sleep(2)
    assert codes == [21010, 21015, 21020, 20005]
    webhook = bench.posted[-1]
    assert webhook.url == "http://daemon.test/sms?k=1"
    assert webhook.headers["content-type"] == "application/x-www-form-urlencoded"
    assert bench.posted_form() == {
        "SmsSid": sent["Sid"],
        "To": "09876543210",
        "Status": "sent",
        "SmsUnits": "1",
        "DetailedStatus": "DELIVERED_TO_HANDSET",
        "DetailedStatusCode": "20005",
        "DateSent": "2026-11-23 12:00:06",
        "CustomField": "a 1",
    }
    unknown = await bench.client.get("SMS/Messages/none.json")
    assert (unknown.status_code, unknown.text) == (200, "No matching results")


@pytest.mark.parametrize(
    ("template", "body", "code"),
    [
        ("1", "Dear Asha, call us.", 20005),
        ("1", "Dear Asha,  call us.", 23185),
        ("1", f"Dear {'A' * 30}, call us.", 23185),
        ("2", "Dear Asha, call us.", 23182),
        ("", "Dear Asha, call us.", 23181),
    ],
)
async def test_dlt(bench: Any, autojump_clock: MockClock, template: str, body: str, code: int) -> None:
    bench.settings.templates = (DltTemplate("9", "1", "Dear {#var#}, call us."),)
    await bench.sms(Body=body, DltEntityId="9", DltTemplateId=template)
    await trio.sleep(10)
    assert bench.exchange.ground_truth.texts[0].code == code


async def test_promotional_texts_wait_for_the_morning(bench: Any, autojump_clock: MockClock) -> None:
    await trio.sleep(10 * 3600)  # 22:00 in India
    await bench.sms(SmsType="promotional")
    await trio.sleep(11 * 3600)
    assert bench.exchange.ground_truth.texts[0].code == 21020
    await trio.sleep(3700)
    assert bench.exchange.ground_truth.texts[0].delivered_at.isoformat() == "2026-11-24T04:30:02+00:00"


async def test_sms_overload_is_503(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.sms_per_minute = 1
    await bench.sms()
    refused = await bench.sms()
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (503, 40405)
    bench.settings.sms_overload_status = 429
    refused = await bench.sms()
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (429, 40402)


async def test_units_are_counted_as_billed(bench: Any, autojump_clock: MockClock) -> None:
    for body, units in (("a" * 160, 1), ("a" * 161, 2), ("{" * 81, 2), ("न" * 70, 1), ("न" * 71, 2)):
        await bench.sms(Body=body)
        assert bench.exchange.ground_truth.texts[-1].units == units


async def test_multipart_requests_are_read(bench: Any, autojump_clock: MockClock) -> None:
    fields = {"From": CUSTOMER, "CallerId": "08047120001", "Url": "http://my.exotel.com/exoml/start/7"}
    files = {name: (None, value) for name, value in fields.items()}
    answer: httpx.Response = await bench.client.post("Calls/connect.json", files=files)
    assert answer.status_code == 200
