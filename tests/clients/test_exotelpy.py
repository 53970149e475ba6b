"""`exotelpy` 0.1.1: campaigns above all, which nobody simulates; the rest by v1, v2_beta and v2."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import EXOPHONE, KEY, SID, TOKEN, Clients, Simulator

ASHA, BINU = "+919876543210", "+919811111111"
PHONE = "08047120001"

SIMULATED = {
    "send_bulk_sms",
    "get_sms_details",
    "get_all_exophones",
    "get_exophone_details",
    "get_exophone_heartbeat",
}
CAMPAIGN = {"caller_id": EXOPHONE, "app_id": "12345"}
SMS_CAMPAIGN = {"content_type": "static", "dlt_entity_id": 1, "sender_id": "EXAMPL", "template": "Hello."}
SMS_CAMPAIGN_OLD = SMS_CAMPAIGN | {"dlt_template_id": 2, "sms_type": "transactional"}
MESSAGES = SMS_CAMPAIGN | {"template_id": 2, "message_type": "transactional", "name": "n", "channel": "sms"}
WITH_LIST = {"numbers": [ASHA], "list_name": "callers"}
NOT_SIMULATED: dict[str, dict[str, Any]] = {
    "create_campaign": CAMPAIGN | {"from_": [ASHA]},
    "create_campaign_with_list": CAMPAIGN | WITH_LIST,
    "get_campaign_details": {"campaign_id": "1"},
    "delete_campaign": {"campaign_id": "1"},
    "get_bulk_campaign_details": {"limit": 5},
    "get_campaign_call_details": {"campaign_id": "1"},
    "create_contacts": {"numbers": [ASHA]},
    "get_contact_details": {"contact_id": "1"},
    "delete_contact": {"sid": "1"},
    "delete_contacts": {"sids": ["1"]},
    "create_list": {"name": "callers"},
    "add_contacts_to_list": {"sids": ["1"], "list_id": "1"},
    "delete_list": {"list_id": "1"},
    "get_list_details": {"list_id": "1"},
    "get_bulk_lists": {"name": "callers"},
    "get_list_contacts": {"list_id": "1", "limit": 5},
    "create_sms_campaign": SMS_CAMPAIGN_OLD | {"lists": ["1"]},
    "create_message_campaign": MESSAGES | {"lists": ["1"]},
    "create_message_campaign_with_list": MESSAGES | WITH_LIST,
    "create_sms_campaign_with_list": SMS_CAMPAIGN_OLD | WITH_LIST,
    "get_sms_campaign_details": {"campaign_id": "1"},
    "get_bulk_sms_campaign_details": {"limit": 5},
    "get_sms_campaign_sms_details": {"campaign_id": "1"},
}


class Client:
    def __init__(self, clients: Clients, simulator: Simulator) -> None:
        self._clients = clients
        self.made_with = {"sid": SID, "key": KEY, "token": TOKEN, "baseurl": simulator.base}

    def __call__(self, method: str, **given: Any) -> dict[str, Any]:
        return self._clients.ask(
            {"client": "exotelpy", "made_with": self.made_with, "method": method, "given": given}
        )


@pytest.fixture
def client(clients: Clients, simulator: Simulator) -> Client:
    return Client(clients, simulator)


def test_send_bulk_sms(client: Client, simulator: Simulator) -> None:
    more = {"encoding_type": "plain", "priority": "normal", "sms_type": "transactional", "dlt_entity_id": "9"}
    sent = client("send_bulk_sms", from_="EXAMPL", to=[ASHA, BINU], body="Hello.", **more)["returned"]
    assert [each["SMSMessage"]["Status"] for each in sent] == ["queued", "queued"]
    texts = [simulator.made("texts", each["SMSMessage"]["Sid"]) for each in sent]
    assert [(text["number"], text["body"]) for text in texts] == [(ASHA, "Hello."), (BINU, "Hello.")]


def test_get_sms_details(client: Client, simulator: Simulator) -> None:
    sent = client("send_bulk_sms", from_="EXAMPL", to=[BINU], body="Hello.")["returned"]["SMSMessage"]
    shown = client("get_sms_details", sms_sid=sent["Sid"])["returned"]["SMSMessage"]
    assert (shown["Sid"], shown["To"]) == (sent["Sid"], "09811111111")
    assert simulator.last_request() == ("GET", f"/v1/Accounts/{SID}/SMS/Messages/{sent['Sid']}.json")


def test_get_all_exophones(client: Client, simulator: Simulator) -> None:
    listed = client("get_all_exophones")["returned"]
    (phone,) = listed["incoming_phone_numbers"]
    assert (phone["sid"], phone["phone_number"], phone["capabilities"]["voice"]) == (PHONE, EXOPHONE, True)
    assert simulator.last_request() == ("GET", f"/v2_beta/Accounts/{SID}/IncomingPhoneNumbers")


def test_get_exophone_details(client: Client, simulator: Simulator) -> None:
    assert client("get_exophone_details", exophone_sid=PHONE)["returned"]["phone_number"] == EXOPHONE
    unknown = client("get_exophone_details", exophone_sid="08047129999")
    assert (unknown["raised"], "08047129999" in unknown["words"]) == ("NotFound", True)
    assert simulator.last_request()[1] == f"/v2_beta/Accounts/{SID}/IncomingPhoneNumbers/08047129999"


def test_get_exophone_heartbeat(client: Client, simulator: Simulator) -> None:
    beat = client("get_exophone_heartbeat", exophone_sid=PHONE)["returned"]["response"]["data"]
    assert beat["connectivity"]["incoming_call"]["status"] == "active"
    assert simulator.last_request() == ("GET", f"/v2/accounts/{SID}/incoming-phone-numbers/{PHONE}")


@pytest.mark.parametrize("method", NOT_SIMULATED)
def test_what_is_not_simulated_is_an_error_in_its_own_terms(
    client: Client, simulator: Simulator, method: str
) -> None:
    answer = client(method, **NOT_SIMULATED[method])
    assert (answer.get("raised"), "is not simulated" in answer["words"]) == ("NotFound", True)
    assert simulator.last_request()[1].startswith(f"/v2/accounts/{SID}/")


def test_a_wrong_value_and_a_wrong_token_are_errors_in_its_own_terms(client: Client) -> None:
    wrong = client("send_bulk_sms", from_="EXAMPL", to=[ASHA], body="Hello.", sms_type="flash")
    assert (wrong["raised"], wrong["words"]) == ("ValidationError", "Invalid Parameters: SmsType")
    client.made_with["token"] = "other"
    assert client("get_bulk_lists")["raised"] == "AuthenticationFailed"


def test_these_are_all_its_methods(clients: Clients) -> None:
    assert set(clients.ask({"client": "exotelpy"})["returned"]) == SIMULATED | set(NOT_SIMULATED)
    assert all(f"test_{name}" in globals() for name in SIMULATED)
