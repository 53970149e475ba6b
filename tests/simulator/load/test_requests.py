"""The requests of a load: what the exchange itself would send, each of another call."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.load.profile import PROFILES, LoadProfile, LoadShape
from simulator.load.requests import RequestStream
from simulator.load.schedule import Burst

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
URL = "http://127.0.0.1:8080/exotel/a-token/missed-call"


def supply(profile: LoadProfile, *, seed: int = 1, url: str = URL, now: datetime = NOW) -> RequestStream:
    return RequestStream(url, profile, seed, lambda: now)


def fields(request: bytes) -> dict[str, str]:
    head, _, body = request.partition(b"\r\n\r\n")
    target = head.split()[1].decode()
    found = parse_qs(body.decode().replace("+91", "%2B91") or urlsplit(target).query)
    return {name: values[0] for name, values in found.items()}


def test_a_native_call_is_a_whole_request() -> None:
    calls = supply(LoadProfile(rate=1, for_s=1, exophones=("+918047120007",)))
    call = calls.next()
    head, _, body = call.request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /exotel/a-token/missed-call HTTP/1.1"
    assert f"content-length: {len(body)}" in lines
    assert "host: 127.0.0.1:8080" in lines
    found = fields(call.request)
    assert found["CallSid"] == calls.sid_of(0)
    assert found["To"] == "+918047120007"
    assert found["DateCreated"] == "2026-11-23 11:30:00"


def test_a_passthru_call_keeps_the_query_there_is() -> None:
    profile = LoadProfile(rate=1, for_s=1, shape=LoadShape.PASSTHRU)
    request = supply(profile, url=URL + "?key=a%20b").next().request
    assert request.startswith(b"GET /exotel/a-token/missed-call?key=a%20b&CallSid=")
    found = fields(request)
    assert found["CallFrom"] == found["From"]
    assert len(found["From"]) == 11


def test_both_shapes_take_turns_on_every_exophone() -> None:
    profile = replace(PROFILES["L3"], shape=LoadShape.BOTH)
    calls = supply(profile)
    requests = [calls.next().request for _ in range(40)]
    seen = Counter((each[:3], fields(each)["To"][-4:]) for each in requests)
    assert len(seen) == 20
    assert set(seen.values()) == {2}


def test_callsids_differ_within_a_run_and_between_runs() -> None:
    profile = LoadProfile(rate=1, for_s=1)
    runs = [supply(profile), supply(profile, now=NOW + timedelta(milliseconds=1))]
    sids = [fields(calls.next().request)["CallSid"] for calls in runs for _ in range(100)]
    assert len(set(sids)) == 200
    assert {len(each) for each in sids} == {32}


def test_the_seed_decides_who_rings() -> None:
    profile = LoadProfile(rate=1, for_s=1, repeats=0.3)

    def callers(seed: int) -> list[str]:
        calls = supply(profile, seed=seed)
        return [fields(calls.next().request)["From"] for _ in range(50)]

    assert callers(1) == callers(1) != callers(2)


def test_as_many_repeat_as_was_asked() -> None:
    calls = supply(LoadProfile(rate=1, for_s=1, repeats=0.23))
    callers = [fields(calls.next().request)["From"] for _ in range(5000)]
    assert 1 - len(set(callers)) / 5000 == pytest.approx(0.23, abs=0.02)


def test_late_doubled_and_redelivered_ones_come_as_often_as_they_should() -> None:
    profile = LoadProfile(
        rate=1, for_s=1, late=0.1, duplicated=0.2, redelivered=0.3, redelivery_s=(5.0, 20.0), repeats=0
    )
    calls = supply(profile)
    made = [calls.next() for _ in range(5000)]
    late = sum(fields(each.request)["DateCreated"] == "2026-11-23 11:25:00" for each in made)
    again = [each.resend_after_s for each in made if each.resend_after_s is not None]
    assert late / 5000 == pytest.approx(0.1, abs=0.02)
    assert sum(each <= 1 for each in again) / 5000 == pytest.approx(0.2, abs=0.02)
    assert sum(each in (5.0, 20.0) for each in again) / 5000 == pytest.approx(0.3, abs=0.02)


def test_time_goes_on_in_the_requests() -> None:
    now = [NOW]
    calls = RequestStream(URL, LoadProfile(rate=1, for_s=1), 1, lambda: now[0])
    calls.next()
    now[0] += timedelta(seconds=1)
    assert fields(calls.next().request)["DateCreated"] == "2026-11-23 11:30:01"


def test_a_profile_is_squeezed_into_the_time_there_is() -> None:
    whole = PROFILES["L3"]
    short = whole.fit_into(20)
    assert (short.rate, short.for_s) == (1250, 20)
    assert short.bursts == (Burst(2500, 5),)
    assert whole.fit_into(90).bursts == (Burst(2500, 10),)
    assert PROFILES["L2"].fit_into(360).redelivery_s == (30, 120)
