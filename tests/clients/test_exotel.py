"""`exotel` 0.1.5, of 2017: the SID is its user, its base URL an argument, its answers whole responses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import EXOPHONE, SID, TOKEN, Clients, Simulator

ASHA, BINU = "09876543210", "09811111111"
FLOW = "http://my.exotel.in/exoml/start/12345"


class Client:
    def __init__(self, clients: Clients, simulator: Simulator) -> None:
        self._clients = clients
        self._made_with = {"sid": SID, "token": TOKEN, "baseurl": f"{simulator.base}/"}
        self.asked: list[str] = []

    def __call__(self, method: str, **given: Any) -> dict[str, Any]:
        """The body of a response that came with 200."""
        answer = self._clients.ask(
            {"client": "exotel", "made_with": self._made_with, "method": method, "given": given}
        )
        assert answer["returned"]["status"] == 200
        body: dict[str, Any] = answer["returned"]["body"]
        return body


@pytest.fixture
def client(clients: Clients, simulator: Simulator) -> Client:
    return Client(clients, simulator)


def test_sms(client: Client, simulator: Simulator) -> None:
    sent = client("sms", from_number="EXAMPL", to=ASHA, body="Hello.")["SMSMessage"]
    assert (sent["Status"], sent["To"], sent["Body"]) == ("queued", ASHA, "Hello.")
    text = simulator.made("texts", sent["Sid"])
    assert (text["number"], text["sender"], text["body"]) == ("+919876543210", "EXAMPL", "Hello.")


def test_call_flow(client: Client, simulator: Simulator) -> None:
    placed = client("call_flow", from_number=ASHA, caller_id=EXOPHONE, flow_id="12345", custom_data="a1")[
        "Call"
    ]
    assert (placed["Status"], placed["From"], placed["To"]) == ("in-progress", ASHA, EXOPHONE)
    call = simulator.made("connects", placed["Sid"])
    assert (call["from_number"], call["to_number"], call["flow_url"]) == ("+919876543210", None, FLOW)
    assert (call["fields"]["CustomField"], call["fields"]["TimeOut"]) == ("a1", "30")


def test_call_number(client: Client, simulator: Simulator) -> None:
    placed = client("call_number", from_number=ASHA, caller_id=EXOPHONE, to=BINU, timelimit=60)["Call"]
    call = simulator.made("connects", placed["Sid"])
    assert (call["from_number"], call["to_number"]) == ("+919876543210", "+919811111111")
    assert (call["caller_id"], call["fields"]["TimeLimit"]) == (EXOPHONE, "60")


def test_call_details(client: Client, simulator: Simulator) -> None:
    sid = client("call_number", from_number=ASHA, caller_id=EXOPHONE, to=BINU)["Call"]["Sid"]
    shown = client("call_details", call_sid=sid)["Call"]
    assert (shown["Sid"], shown["From"], shown["To"]) == (sid, ASHA, BINU)
    assert simulator.last_request() == ("GET", f"/v1/Accounts/{SID}/Calls/{sid}.json")


def test_sms_details(client: Client, simulator: Simulator) -> None:
    sid = client("sms", from_number="EXAMPL", to=ASHA, body="Hello.")["SMSMessage"]["Sid"]
    shown = client("sms_details", sms_sid=sid)["SMSMessage"]
    assert (shown["Sid"], shown["Body"]) == (sid, "Hello.")
    assert simulator.last_request() == ("GET", f"/v1/Accounts/{SID}/Sms/Messages/{sid}.json")


def test_these_are_all_its_methods(clients: Clients) -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(clients.ask({"client": "exotel"})["returned"]) == tested - {"these_are_all_its_methods"}
