"""A flow that tells of one call several times, to a real daemon: before its Connect, and behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.daemon import Daemon, free_port

CAMPAIGN = """
[[campaign]]
name = "shop"
exophones = ["+918047120003"]
lead = {}
callback = { flow = "12345", delay = "10m" }
"""
ATTEMPT = {"CallType": "call-attempt", "CallStatus": "ringing"}
UNANSWERED = {"CallType": "incomplete", "DialCallStatus": "no-answer", "DialCallDuration": "20"}
TALKED = {"CallType": "completed", "DialCallStatus": "completed", "DialCallDuration": "120"}
VOICEMAIL = {"CallType": "voicemail", "DialCallStatus": "no-answer"}
BOT = ATTEMPT | {"Stream[Status]": "completed", "Stream[Duration]": "41", "Stream[DisconnectedBy]": "bot"}
POPUP = {"Status": "busy", "EventType": "Dial", "AgentEmail": "a@example.in"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder: Path = tmp_path_factory.mktemp("several-requests")
    with Daemon(folder, CAMPAIGN, free_port()) as running:
        running.start()
        yield running


def told(daemon: Daemon, sid: str, caller: str, fields: dict[str, str]) -> str:
    call = {"CallSid": sid, "CallFrom": caller, "CallTo": "08047120003", "Direction": "incoming"}
    reply = httpx.get(daemon.missed_call_url, params=call | fields, trust_env=False)
    assert (reply.status_code, reply.content) == (200, b"")
    return reply.headers["Missedd-Verdict"]


def kept(daemon: Daemon, sid: str) -> dict[str, Any]:
    found: dict[str, Any] = daemon.api(f"/api/v1/calls/{sid}")
    return found


@pytest.mark.parametrize(
    ("sid", "requests", "verdicts"),
    [
        ("before-and-behind", (ATTEMPT, TALKED, TALKED), ("accepted", "not-missed", "redelivered")),
        ("two-connects", (UNANSWERED, TALKED, ATTEMPT), ("accepted", "not-missed", "redelivered")),
        ("voicemail", (ATTEMPT, VOICEMAIL), ("accepted", "not-missed")),
        ("bot", (ATTEMPT, BOT), ("accepted", "not-missed")),
        ("popups", (POPUP, ATTEMPT, POPUP, TALKED), ("not-missed", "accepted", "redelivered", "not-missed")),
    ],
)
def test_a_proof_after_acceptance_ends_what_is_owed(
    daemon: Daemon, sid: str, requests: tuple[dict[str, str], ...], verdicts: tuple[str, ...]
) -> None:
    caller = f"0981113{sum(map(ord, sid)):04}"
    assert tuple(told(daemon, sid, caller, fields) for fields in requests) == verdicts
    call = kept(daemon, sid)
    proof = "voicemail" if VOICEMAIL in requests else "conversation"
    assert (call["verdict"], call["reached_by"], call["reached_at"] is None) == ("accepted", proof, False)
    assert [(each["kind"], each["outcome"], each["reason"]) for each in call["actions"]] == [
        ("lead", "recorded", "recorded-at-once"),
        ("callback", "cancelled", "reached-otherwise"),
    ]


def test_a_proof_that_came_first_stays(daemon: Daemon) -> None:
    caller = "09811133302"
    assert [told(daemon, "late", caller, fields) for fields in (POPUP, TALKED, ATTEMPT, POPUP)] == [
        "not-missed",
        "not-missed",
        "redelivered",
        "redelivered",
    ]
    call = kept(daemon, "late")
    assert (call["verdict"], call["reason"], call["actions"]) == ("not-missed", "conversation", [])


def test_the_calls_that_were_accepted_are_counted_and_a_csv_says_how_they_ended(daemon: Daemon) -> None:
    assert told(daemon, "counted", "09811139999", ATTEMPT) == "accepted"
    before = daemon.api("/api/v1/analytics")["total_calls"]
    assert told(daemon, "counted", "09811139999", TALKED) == "not-missed"
    assert daemon.api("/api/v1/analytics")["total_calls"] == before
    url = f"http://127.0.0.1:{daemon.private_port}/api/v1/calls?format=csv"
    lines = httpx.get(url, trust_env=False).text.splitlines()
    assert lines[0].split(",")[-2:] == ["reached_at", "reached_by"]
    assert [each.split(",")[-1] for each in lines if each.startswith("counted,")] == ["conversation"]


def test_heartbeats_are_taken_and_told_of_once(daemon: Daemon) -> None:
    for _ in range(2):
        reply = httpx.post(daemon.missed_call_url, json={"status_type": "OK"}, trust_env=False)
        assert (reply.status_code, reply.headers["Missedd-Verdict"]) == (200, "not-missed")
    assert [each["product"] for each in daemon.events("webhook.misplaced")] == ["heartbeat"]
