"""The kept inputs first, and then what hypothesis makes of them and of the house's own words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TOKEN, Configuration, Wire, corpus, names

PATIENT = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = (
    *("CallSid", "From", "To", "CallFrom", "CallTo", "Status", "CallType", "Direction", "CallStatus"),
    *("DialCallStatus", "StartTime", "Created", "EventType", "AgentEmail", "Legs", "Legs[0][Status]"),
    *("SmsSid", "DetailedStatusCode", "DateUpdated", "ForwardedFrom", "digits", "Legs[0][OnCallDuration]"),
    *("Stream[Status]", "Stream[Duration]", "StreamSid", "CallState", "status_type", "EndTime"),
)
VALUES = (
    *("abc123", "c1", "+919876543210", "09876543210", "08047120001", "missed-call", "completed", "busy"),
    *("incomplete", "call-attempt", "null", "outbound-dial", "incoming", "2022-02-23+12:31:58"),
    *("1970-01-01+05:30:00", "9999-12-31+23:59:59", "%00", "%FF", "%ED%A0%80", "1e999", "-1"),
    *("99999999999999999999", "9" * 5000),
)
TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "",
)
PATHS = (
    f"/exotel/{TOKEN}/missed-call",
    f"/exotel/{TOKEN}/call-status/1",
    f"/exotel/{TOKEN}/sms-status/999999999999999999",
    f"/exotel/{TOKEN}/sms-text",
    "/exotel/%00/missed-call",
)
PAIRS = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(NAMES), st.text(max_size=20)),
        st.one_of(st.sampled_from(VALUES), st.text(max_size=30)),
    ),
    max_size=12,
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request that is nearly right: the grammar of the wire, and fields that Exotel might send."""
    pairs, kind = draw(PAIRS), draw(st.sampled_from(TYPES))
    match kind.partition(";")[0]:
        case "multipart/form-data":
            part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
            body = "".join(part.format(*pair) for pair in pairs) + draw(
                st.sampled_from(["--b--\r\n", "--b", ""])
            )
        case "application/json":
            made = ", ".join(f'"{name}": {draw(JSON)}' for name, _ in pairs)
            body = "{" + made + draw(st.sampled_from(["}", "", "}}"]))
        case _:
            body = "&".join(f"{name}={value}" for name, value in pairs)
    raw = body.encode("utf-8", "surrogatepass")
    method, path = draw(st.sampled_from(["POST", "GET", "HEAD", "PUT"])), draw(st.sampled_from(PATHS))
    query = "&".join(f"{name}={value}" for name, value in draw(PAIRS)).encode("utf-8", "replace")
    query = b"".join(b"%%%02x" % each if each <= 32 or each >= 127 else bytes([each]) for each in query)
    size = draw(st.sampled_from([len(raw), len(raw), len(raw), len(raw) + 1, max(0, len(raw) - 1)]))
    head = f"{method} {path}?".encode() + query + b" HTTP/1.1\r\nHost: h\r\n"
    return head + f"Content-Type: {kind}\r\nContent-Length: {size}\r\n\r\n".encode() + raw


JSON = st.one_of(
    st.sampled_from(VALUES).map(lambda text: f'"{text}"'),
    st.sampled_from(
        ['"\\ud800"', "1e999", "NaN", "[" * 40, '[{"Leg": {"Status": "busy"}}]', "{}", "null", "true"]
    ),
)


@st.composite
def spoilt(draw: st.DrawFn, kept: list[bytes]) -> bytes:
    """A kept input with pieces cut out, repeated, replaced or joined to another's."""
    data = draw(st.sampled_from(kept))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 40)))
        put = draw(st.one_of(st.binary(max_size=12), st.just(data[at:end] * 2), st.just(b"")))
        data = data[:at] + put + data[end:]
    if draw(st.booleans()):
        other = draw(st.sampled_from(kept))
        data = data[: draw(st.integers(0, len(data)))] + other[draw(st.integers(0, len(other))) :]
    return data


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    target = Wire()
    yield target
    target.close()


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return Configuration(tmp_path_factory.mktemp("config"))


@pytest.mark.parametrize("data", corpus("wire"), ids=names("wire"))
def test_kept_requests(wire: Wire, data: bytes) -> None:
    wire(data)


@pytest.mark.parametrize("data", corpus("config"), ids=names("config"))
def test_kept_configurations(configuration: Configuration, data: bytes) -> None:
    configuration(data)


@PATIENT
@given(data=st.lists(requests(), min_size=1, max_size=3).map(b"".join))
def test_requests_that_are_nearly_right(wire: Wire, data: bytes) -> None:
    wire(data)


@PATIENT
@given(data=spoilt(corpus("wire")))
def test_spoilt_requests(wire: Wire, data: bytes) -> None:
    wire(data)


@PATIENT
@given(data=spoilt(corpus("config")))
def test_spoilt_configurations(configuration: Configuration, data: bytes) -> None:
    configuration(data)
