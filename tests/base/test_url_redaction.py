"""URLs are shown without their secrets."""

from __future__ import annotations

import pytest

from missedd.base.url_redaction import redact_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://crm.example.in/missed-call", "https://crm.example.in/missed-call"),
        ("https://user:pass@crm.example.in:8443/a/b?key=1#x", "https://crm.example.in:8443/a/b"),
        ("http://[::1]:9000/", "http://[::1]:9000/"),
        ("https://crm.example.in/missed-call-notifications/of-everybody", None),
        (
            "https://hooks.example.in/services/T012AB34C/B0/Xq7fKp2mZ9vL4tRw8sYb1nHd",
            "https://hooks.example.in/services/T012AB34C/B0/…",
        ),
        ("https://crm.example.in/2d931510-d99f-494a-8c67-87feb05e1594/in", "https://crm.example.in/…/in"),
        ("https://api.example.org/bot123456:AAF0xq-Kp2mZ9vL4tRw8sYb/in", "https://api.example.org/…/in"),
        ("https://crm.example.in/in;key=Kp2mZ9vL4tRw8sYb", "https://crm.example.in/…"),
        ("https://crm.example.in/2d931510-d99f@87feb05e1594/in", "https://crm.example.in/…/in"),
        ("https://[crm/x", "a URL that cannot be read"),
    ],
)
def test_it_leads_there_and_opens_nothing(url: str, shown: str | None) -> None:
    assert redact_url(url) == (shown or url)
