"""The figures over HTTP: the module's own, in the shape that is promised, or a word that they must wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import to_builtins

from missedd.base.clock import to_iso
from missedd.store.reads.reader import load_analytics
from missedd.web.api.schemas import schemas
from tests.store.database import NOON
from tests.web.api.documented import conforms
from tests.web.conftest import Private


async def test_the_api_tells_what_the_module_says(private: Private) -> None:
    for hour in range(5):
        call = private.db.call(f"c{hour}", NOON + timedelta(hours=hour), caller=f"+9198765432{hour}0")
        private.db.done(call, "callback", "answered", placed_at=NOON + timedelta(hours=hour, seconds=31))
        private.db.done(call, "sms", "failed", placed_at=NOON, reason="sms-failed", code="23005")
    for since, until in ((None, None), (NOON + timedelta(minutes=90), NOON + timedelta(minutes=200))):
        query = "&".join(
            f"{name}={to_iso(at)}" for name, at in (("since", since), ("until", until)) if at is not None
        )
        told = await private.json(f"/api/v1/analytics?campaign=admissions&{query}")
        found = await load_analytics(private.db, "admissions", since, until, "Asia/Kolkata")
        assert told == to_builtins(found)
        assert conforms(told, schemas()["Figures"])
    assert told["total_calls"] == 2
    assert (told["seconds_to_callback"]["median"], told["sms_delivery_rate"]) == (
        pytest.approx(31, 0.02),
        0.0,
    )


async def test_what_would_take_too_long_is_put_off(private: Private, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("missedd.store.rollups.query.MAX_CALLS_COUNTED", 1)
    private.db.call("a")
    private.db.call("b")
    response = await private.get("/api/v1/analytics")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert "rollups for analytics are still being built" in (await response.get_json(force=True))["detail"]
    page = await private.get("/")
    assert page.status_code == 503
    assert "rollups for analytics are still being built" in await page.get_data(as_text=True)
