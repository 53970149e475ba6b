"""The receiver that docs/integrations/frappe-crm.md shows, run against a server that plays Frappe CRM."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from missedd.core.api_types.webhooks import AcceptedCallJson
from missedd.engine.webhooks.webhook_sender import encode_json, missed_call_event, signature

pytestmark = pytest.mark.real

PAGE = Path(__file__).parents[2] / "docs" / "integrations" / "frappe-crm.md"
KEY = b"a secret of twenty-four b"
AT = "2026-11-23T06:30:00.000Z"


class Crm(HTTPServer):
    """Keeps leads as Frappe's REST API does: a list of names for a filter, a document for a POST."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Resource)
        self.leads: list[dict[str, str]] = []
        self.is_down = False


class _Resource(BaseHTTPRequestHandler):
    server: Crm

    def do_GET(self) -> None:
        wanted = json.loads(parse_qs(urlsplit(self.path).query)["filters"][0])
        ((field, operator, value),) = wanted
        assert operator == "="
        names = [
            {"name": f"CRM-LEAD-{i}"} for i, lead in enumerate(self.server.leads) if lead[field] == value
        ]
        self._answer(200, names)

    def do_POST(self) -> None:
        lead = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.leads.append(lead)
        self._answer(200, lead)

    def _answer(self, status: int, data: Any) -> None:
        is_ours = self.headers["Authorization"] == "token key:secret" and not self.server.is_down
        assert urlsplit(self.path).path == "/api/resource/CRM%20Lead"
        body = json.dumps({"data": data}).encode()
        self.send_response(status if is_ours else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def running(server: HTTPServer) -> Iterator[str]:
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def crm() -> Iterator[Crm]:
    server = Crm()
    with running(server):
        yield server


@pytest.fixture
def receiver(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the page's receiver, which has the secret and the CRM's address in its environment."""
    monkeypatch.setenv("MISSEDD_WEBHOOK_SECRET", "whsec_" + base64.b64encode(KEY).decode())
    monkeypatch.setenv("CRM_URL", f"http://127.0.0.1:{crm.server_port}")
    monkeypatch.setenv("CRM_TOKEN", "key:secret")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    scope: dict[str, Any] = {"__name__": "crm_lead"}
    exec(compile(code, str(PAGE), "exec"), scope)
    quiet = type("Quiet", (scope["Webhook"],), {"log_message": lambda *_: None})
    server = HTTPServer(("127.0.0.1", 0), quiet)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # it would print the traceback
    with running(server) as address:
        yield address


def deliver(address: str, number: str, message_id: str = "msg_1", key: bytes = KEY, late_s: int = 0) -> int:
    """Send a webhook as missedd does; its status, 0 for none."""
    body = encode_json(
        missed_call_event(
            AcceptedCallJson("c1", number, "+918047120001", "shop", AT, AT, "accepted", "first-call")
        )
    )
    sent_at = int(time.time()) - late_s
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(key, message_id, sent_at, body),
    }
    try:
        return httpx.post(address, content=body, headers=headers, trust_env=False).status_code
    except httpx.RemoteProtocolError:
        return 0


def test_a_missed_call_is_a_lead_once_a_person(crm: Crm, receiver: str) -> None:
    assert deliver(receiver, "+919876543210") == 204
    assert deliver(receiver, "+919876543210") == 204
    assert deliver(receiver, "+919876543210", "msg_2") == 204
    assert deliver(receiver, "+919876543211", "msg_3") == 204
    assert crm.leads == [
        {"first_name": "+919876543210", "mobile_no": "+919876543210"},
        {"first_name": "+919876543211", "mobile_no": "+919876543211"},
    ]


def test_a_stranger_and_an_old_message_are_refused(crm: Crm, receiver: str) -> None:
    assert deliver(receiver, "+919876543210", key=b"another") == 401
    assert deliver(receiver, "+919876543210", late_s=400) == 401
    assert crm.leads == []


def test_what_the_crm_does_not_take_is_not_acknowledged(crm: Crm, receiver: str) -> None:
    crm.is_down = True
    assert deliver(receiver, "+919876543210") == 0
    crm.is_down, crm.leads = False, []
    assert deliver(receiver, "+919876543210") == 204
    assert len(crm.leads) == 1
