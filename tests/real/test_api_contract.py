"""The API held to its own OpenAPI document, by requests that schemathesis makes up from it.

A real daemon with calls in it; good and bad input, bounded in number, the same at every run.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.real.daemon import Daemon, free_port

CAMPAIGNS = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "1h", give_up_after = "2h" }
lead = { source = "missed_call" }
webhook = { url = "http://127.0.0.1:9/nobody" }

[[campaign]]
name = "asha"
exophones = ["+918047120002"]
vote = { poll = "singer", option = "Asha" }

[[campaign]]
name = "weather"
exophones = ["+918047120003"]
subscribe = { list = "weather", purpose = "daily weather" }

[[campaign]]
name = "prove"
exophones = ["+918047120004"]
verify = { ttl = "5m" }

[[poll]]
name = "singer"
"""
EXAMPLES = 6
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)


def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    with Daemon(tmp_path, CAMPAIGNS, free_port()) as daemon:
        daemon.start()
        for index in range(40):
            fields = {
                "CallSid": f"call-{index}",
                "From": f"+9198765{index % 25:05}",
                "To": f"+91804712000{index % 5}",
                "Status": "missed-call",
            }
            assert httpx.post(daemon.missed_call_url, data=fields, trust_env=False).status_code == 200
        command = [str(Path(sys.executable).with_name("schemathesis")), "run"]
        command += [f"http://127.0.0.1:{daemon.private_port}/api/openapi.json"]
        command += ["--max-examples", str(EXAMPLES), "--seed", "1", "--checks", ",".join(CHECKS)]
        # A stream of events does not end by itself; it has tests of its own.
        command += ["--phases", "examples,coverage,fuzzing", "--exclude-path-regex", "/events$"]
        command += ["--request-timeout", "10", "--no-color", "--warnings", "off"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=tmp_path)
        assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
        assert not daemon.events("request.failed")
