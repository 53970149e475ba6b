"""`pyexotel` 1.0.3: `https://` and the host are written into it, and errors are printed, not raised."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import EXOPHONE, KEY, SID, TOKEN, Clients, Simulator

ASHA, BINU = "09876543210", "09811111111"
SIMULATED = {"call", "connect_flow", "get_call_info", "get_phone_info"}
USER = {"user_id": "1"}
NOT_SIMULATED: dict[str, dict[str, Any]] = {
    "create_user": {"first_name": "A", "last_name": "B", "user_email": "a@b.test", "user_phone": ASHA},
    "get_user_details": USER,
    "update_user": USER | {"data": {"first_name": "A"}},
    "delete_user": USER,
    "set_user_status": USER | {"device_id": "2", "status": True},
    "get_all_users": {},
    "get_campaign_info": {"campaign_id": "1"},
    "get_campaign_call_info": {"campaign_id": "1"},
    "get_all_campaigns": {"name": "callers"},
}


class Client:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def __call__(self, method: str, **given: Any) -> dict[str, Any]:
        made_with = {"api_key": KEY, "api_secret": TOKEN, "sid": SID}
        return self._clients.ask(
            {"client": "pyexotel", "made_with": made_with, "method": method, "given": given}
        )


@pytest.fixture
def client(clients: Clients) -> Client:
    return Client(clients)


def test_call(client: Client, simulator: Simulator) -> None:
    stream = "wss://stream.test/1"
    answer = client("call", agent_number=ASHA, customer_number=BINU, caller_id=EXOPHONE, stream_url=stream)
    placed = answer["returned"]["Call"]
    assert (placed["From"], placed["To"], answer["printed"]) == (ASHA, BINU, "")
    call = simulator.made("connects", placed["Sid"])
    assert (call["from_number"], call["to_number"]) == ("+919876543210", "+919811111111")
    assert (call["fields"]["Record"], call["fields"]["StreamUrl"]) == ("true", stream)


def test_connect_flow(client: Client, simulator: Simulator) -> None:
    placed = client("connect_flow", customer_number=ASHA, caller_id=EXOPHONE, flow_id="12345")["returned"][
        "Call"
    ]
    call = simulator.made("connects", placed["Sid"])
    assert (call["from_number"], call["to_number"]) == ("+919876543210", None)
    assert call["flow_url"] == f"http://my.exotel.com/{SID}/exoml/start_voice/12345"


def test_get_call_info(client: Client, simulator: Simulator) -> None:
    placed = client("call", agent_number=ASHA, customer_number=BINU, caller_id=EXOPHONE)["returned"]["Call"]
    shown = client("get_call_info", call_sid=placed["Sid"])["returned"]["Call"]
    assert (shown["Sid"], shown["Status"]) == (placed["Sid"], "in-progress")
    assert simulator.last_request() == ("GET", f"/v1/Accounts/{SID}/Calls/{placed['Sid']}.json")


def test_get_phone_info(client: Client, simulator: Simulator) -> None:
    shown = client("get_phone_info", phone_number=ASHA)["returned"]["Numbers"]
    assert (shown["PhoneNumber"], shown["Type"], shown["DND"]) == (ASHA, "Mobile", "No")
    assert simulator.last_request() == ("GET", f"/v1/Accounts/{SID}/Numbers/{ASHA}.json")


@pytest.mark.parametrize("method", NOT_SIMULATED)
def test_what_is_not_simulated_is_a_404_that_it_prints(
    client: Client, simulator: Simulator, method: str
) -> None:
    answer = client(method, **NOT_SIMULATED[method])
    assert answer["returned"] is None
    assert "404 Client Error" in answer["printed"]
    assert simulator.last_request()[1].startswith(f"/v2/accounts/{SID}/")


def test_these_are_all_its_methods(clients: Clients) -> None:
    assert set(clients.ask({"client": "pyexotel"})["returned"]) == SIMULATED | set(NOT_SIMULATED)
    assert all(f"test_{name}" in globals() for name in SIMULATED)
