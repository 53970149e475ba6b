"""Several recipients of one request: each is texted and answered for, in both formats."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest
import trio
from trio.testing import MockClock

ASHA, BINU = "+919876543210", "+919811111111"
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def post(bench: Any, path: str, *fields: tuple[str, str]) -> httpx.Response:
    answer: httpx.Response = await bench.client.post(path, content=urlencode(fields), headers=FORM)
    return answer


async def send(bench: Any, *to: tuple[str, str], path: str = "Sms/send.json") -> httpx.Response:
    return await post(bench, path, ("From", "EXAMPL"), ("Body", "Hello."), *to)


def texted(bench: Any) -> list[tuple[str, str]]:
    return [(text.number, text.body) for text in bench.exchange.ground_truth.texts]


@pytest.mark.parametrize(
    "to",
    [
        (("To", f"{ASHA},{BINU}"),),
        (("To", ASHA), ("To", BINU)),
        (("To[]", ASHA), ("To[]", BINU)),
        (("To[0]", ASHA), ("To[1]", BINU)),
        (("To[0]", f" {ASHA[1:]} , 09811111111"),),
    ],
)
async def test_each_recipient_is_texted_and_answered_for(
    bench: Any, autojump_clock: MockClock, to: tuple[tuple[str, str], ...]
) -> None:
    answer = await send(bench, *to)
    assert answer.status_code == 200
    shown = [item["SMSMessage"] for item in answer.json()]
    assert [(each["To"], each["Status"]) for each in shown] == [
        ("09876543210", "queued"),
        ("09811111111", "queued"),
    ]
    assert texted(bench) == [(ASHA, "Hello."), (BINU, "Hello.")]
    (request,) = bench.exchange.ground_truth.api_requests
    assert (
        request.sids
        == [each["Sid"] for each in shown]
        == [text.sid for text in bench.exchange.ground_truth.texts]
    )
    assert (request.sid, request.ignored) == (request.sids[0], [])
    await trio.sleep(10)
    details = (await bench.client.get(f"SMS/Messages/{shown[1]['Sid']}.json")).json()["SMSMessage"]
    assert (details["To"], details["Status"]) == ("09811111111", "sent")


async def test_several_in_xml_stand_one_behind_the_other(bench: Any, autojump_clock: MockClock) -> None:
    answer = await send(bench, ("To", f"{ASHA},{BINU}"), path="Sms/send")
    root = ElementTree.fromstring(answer.text)
    assert [child.tag for child in root] == ["SMSMessage", "SMSMessage"]
    assert [child.findtext("To") for child in root] == ["09876543210", "09811111111"]


async def test_each_has_a_report_of_its_own(bench: Any, autojump_clock: MockClock) -> None:
    await send(bench, ("To", f"{ASHA},{BINU}"), ("StatusCallback", "http://daemon.test/sms"))
    await trio.sleep(20)
    assert {bench.posted_form(i)["To"] for i in range(2)} == {"09876543210", "09811111111"}
    assert len(bench.posted) == 2


async def test_the_last_repeated_recipient_may_win(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.last_to_wins = True
    answer = await send(bench, ("To", ASHA), ("To", BINU))
    assert answer.json()["SMSMessage"]["To"] == "09811111111"
    assert texted(bench) == [(BINU, "Hello.")]
    assert len((await send(bench, ("To[0]", ASHA), ("To[1]", BINU))).json()) == 2


async def test_one_wrong_recipient_does_not_stop_the_others(bench: Any, autojump_clock: MockClock) -> None:
    answer = await send(bench, ("To", f"12,{ASHA}"))
    assert answer.status_code == 207
    refused, sent = answer.json()
    assert (refused["RestException"]["Status"], refused["RestException"]["Code"]) == (400, 40203)
    assert sent["SMSMessage"]["To"] == "09876543210"
    assert texted(bench) == [(ASHA, "Hello.")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ((("From", "EXAMPL"), ("Body", "Hello."), ("To", "12,13")), 40203),
        ((("From", "EXAMPL"), ("Body", "Hello."), ("To", ",".join([ASHA] * 101))), 40406),
        ((("From", "EXAMPL"), ("Body[0]", "Hello."), ("To", ASHA)), 40207),
        ((("From", "EXAMPL"), ("To", ASHA)), 40200),
        ((("From", "EXAMPL"), ("Body", "Hello."), ("To", ASHA), ("EncodingType", "utf8")), 40209),
        ((("Body", "Hello."), ("To", ASHA)), 40210),
    ],
)
async def test_what_sms_send_refuses(
    bench: Any, autojump_clock: MockClock, fields: tuple[tuple[str, str], ...], code: int
) -> None:
    refused = await post(bench, "Sms/send.json", *fields)
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (400, code)
    assert texted(bench) == []


@pytest.mark.parametrize("name", ["Messages", "Message"])
async def test_bulksend_texts_each_their_own(bench: Any, autojump_clock: MockClock, name: str) -> None:
    answer = await post(
        bench,
        "Sms/bulksend.json",
        ("From", "EXAMPL"),
        (f"{name}[1][To]", BINU),
        (f"{name}[1][Body]", "Binu."),
        (f"{name}[1][From]", "SECOND"),
        (f"{name}[0][To]", ASHA),
        (f"{name}[0][Body]", "Asha."),
        (f"{name}[2][To]", "12"),
        (f"{name}[2][Body]", "Nobody."),
    )
    assert answer.status_code == 207
    asha, binu, nobody = answer.json()
    assert (asha["SMSMessage"]["Status"], asha["SMSMessage"]["From"]) == ("queued", "/EXAMPL")
    assert binu["SMSMessage"]["From"] == "/SECOND"
    assert nobody["RestException"]["Code"] == 40203
    assert texted(bench) == [(ASHA, "Asha."), (BINU, "Binu.")]
    (request,) = bench.exchange.ground_truth.api_requests
    assert (request.target, len(request.sids), request.ignored) == ("sms", 2, [])


async def test_bulksend_reads_the_json_of_the_pages(bench: Any, autojump_clock: MockClock) -> None:
    messages = [{"From": "EXAMPL", "To": number, "Body": "Hi.", "DltEntityId": 9} for number in (ASHA, BINU)]
    answer = await bench.client.post("Sms/bulksend", json={"sms": messages, "Sender": "x"})
    root = ElementTree.fromstring(answer.text)
    assert (answer.status_code, len(root.findall("SMSMessage"))) == (207, 2)
    assert texted(bench) == [(ASHA, "Hi."), (BINU, "Hi.")]
    assert bench.exchange.ground_truth.texts[0].fields["DltEntityId"] == "9"
    assert bench.exchange.ground_truth.api_requests[0].ignored == ["Sender"]
    # Sms/send is documented as a form only.
    refused = await bench.client.post("Sms/send.json", json={"From": "EXAMPL", "To": ASHA, "Body": "Hi."})
    assert refused.json()["RestException"]["Code"] == 40210


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ("", "x-www-form-urlencoded", 40200),
        ("From=EXAMPL", "x-www-form-urlencoded", 40201),
        ("Messages=Hello", "x-www-form-urlencoded", 40208),
        (urlencode([(f"Messages[{i}][To]", ASHA) for i in range(101)]), "x-www-form-urlencoded", 40400),
        ("[", "json", 40202),
        ("[]", "json", 40202),
        ('{"sms": []}', "json", 40201),
        ('{"sms": "Hello"}', "json", 40208),
    ],
)
async def test_what_bulksend_refuses(
    bench: Any, autojump_clock: MockClock, body: str, kind: str, code: int
) -> None:
    headers = {"content-type": f"application/{kind}"}
    refused = await bench.client.post("Sms/bulksend.json", content=body, headers=headers)
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (400, code)
    assert texted(bench) == []


async def test_a_fault_of_sms_strikes_bulksend_too(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.sms_per_minute = 0
    refused = await post(bench, "Sms/bulksend.json", ("Messages[0][To]", ASHA), ("Messages[0][Body]", "Hi."))
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (503, 40405)
