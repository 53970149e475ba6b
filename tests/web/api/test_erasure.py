"""Erasing a number through the API, and what the pages show in its place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from missedd.core.audit import Source
from missedd.core.people.erasure import ErasureRefusal, ErasureResult
from tests.store.database import CALLER, NOON
from tests.web.api.documented import conforms, schemas
from tests.web.conftest import Private


async def test_a_number_is_erased_in_any_spelling(private: Private) -> None:
    private.operator.erasure = ErasureResult("erased:17", suppressions=1, consents=2)
    response = await private.app.test_client().post("/api/v1/numbers/09876543210/erase")
    told = await response.get_json()
    assert (response.status_code, private.operator.erased) == (200, [CALLER])
    assert told == {"pseudonym": "erased:17", "suppressions": 1, "consents": 2}
    assert conforms(told, schemas()["Erased"])
    assert private.operator.by[0].source is Source.API


@pytest.mark.parametrize(
    ("why", "status", "words"),
    [
        (ErasureRefusal.UNKNOWN, 404, "nothing about this number that could be erased"),
        (ErasureRefusal.STILL_OWED, 409, "still owed"),
        (ErasureRefusal.BEING_VERIFIED, 409, "waits for its call"),
        (ErasureRefusal.POLL_OPEN, 409, "vote again"),
    ],
)
async def test_a_refused_erasure_gives_its_reason(
    private: Private, why: ErasureRefusal, status: int, words: str
) -> None:
    private.operator.erasure = why
    response = await private.app.test_client().post(f"/api/v1/numbers/{CALLER}/erase")
    assert (response.status_code, words in (await response.get_json())["detail"]) == (status, True)


async def why_not(private: Private, why: ErasureRefusal) -> str:
    private.operator.erasure = why
    response = await private.app.test_client().post(f"/api/v1/numbers/{CALLER}/erase")
    return str((await response.get_json())["detail"])


async def test_an_erasure_that_an_open_action_blocks_names_action_time_and_remedy(private: Private) -> None:
    db, call = private.db, private.db.call("c1")
    assert await why_not(private, ErasureRefusal.STILL_OWED) == "an action is still owed to the number", (
        "by now done"
    )
    soon = db.action(call, expires_at=NOON + timedelta(minutes=15))
    assert await why_not(private, ErasureRefusal.STILL_OWED) == (
        f'an action is still owed to the number: callback {soon} of campaign "admissions" will be sent at '
        "2026-11-23 12:00:30 IST; it ends at 2026-11-23 12:15:00 IST at the latest, when it is too old; "
        "erase the number after that"
    )
    held = {"state": "held", "reason": "campaign-paused", "expires_at": NOON + timedelta(days=1)}
    later = db.action(call, "sms", **held)
    said = await why_not(private, ErasureRefusal.STILL_OWED)
    assert (
        f'sms {later} of campaign "admissions" and 1 more is held (an operator paused the campaign; it '
        "waits until the pause ends, or until it is too old); it is due at 2026-11-23 12:00:30 IST; " in said
    )
    assert "it ends at 2026-11-24 12:00:00 IST at the latest, when it is too old" in said
    assert "`missedd resume` ends the pause; erase the number after that" in said
    out = db.action(call, "webhook", state="attempting", expires_at=None, wake_at=NOON + timedelta(minutes=3))
    said = await why_not(private, ErasureRefusal.STILL_OWED)
    assert f"webhook {out} of campaign" in said
    assert "was sent and its outcome is not known yet; the next lookup is at 2026-11-23 12:03:00 IST" in said
    assert "it ends when your application accepts it, or after twelve attempts in about four days" in said


async def test_an_erasure_that_is_blocked_names_the_verification_or_the_poll(private: Private) -> None:
    pending = {
        "campaign": "signup",
        "exophone": "+918047120001",
        "status": "pending",
        "reason": "awaiting-call",
    }
    times = {"created_at": NOON, "expires_at": NOON + timedelta(minutes=5)}
    private.db.put("verifications", id="v1", number=CALLER, **pending, **times)
    assert await why_not(private, ErasureRefusal.BEING_VERIFIED) == (
        'a verification of the number waits for its call: v1 of campaign "signup", until 2026-11-23 '
        "12:05:00 IST at the latest; erase the number after that"
    )
    private.db.poll("singer", closes_at=NOON + timedelta(hours=2))
    vote = {"poll": "singer", "option": "Asha", "standing": "counted", "called_at": NOON, "call_sid": "c1"}
    private.db.put("votes", number=CALLER, **vote)
    assert await why_not(private, ErasureRefusal.POLL_OPEN) == (
        "the number has voted in a poll that is still open, and could vote again: "
        '"singer" closes at 2026-11-23 '
        "14:00:00 IST; erase the number after that"
    )


async def test_what_is_no_number_is_a_bad_request(private: Private) -> None:
    for number in ("erased:17", "junk"):
        assert (await private.app.test_client().post(f"/api/v1/numbers/{number}/erase")).status_code == 400


async def test_the_pages_show_the_pseudonym_and_no_link(private: Private) -> None:
    call = private.db.call("c1", caller="erased:17")
    private.db.lead(call, "erased:17")
    for path in ("/leads", "/"):
        page = await (await private.get(path)).get_data(as_text=True)
        assert "erased:17" in page
        assert "/numbers/erased" not in page
    assert (await private.json("/api/v1/leads"))["items"][0]["number"] == "erased:17"


async def test_a_pseudonym_finds_what_bears_it(private: Private) -> None:
    call = private.db.call("c1", caller="erased:17")
    private.db.lead(call, "erased:17")
    private.db.lead(private.db.call("c2"))
    page = await private.json("/api/v1/calls?number=erased:17")
    assert [each["call_sid"] for each in page["items"]] == ["c1"]
    page = await private.json("/api/v1/leads?number=erased:17")
    assert [each["number"] for each in page["items"]] == ["erased:17"]
    shown = await (await private.get("/leads?number=erased:17")).get_data(as_text=True)
    assert shown.count('data-label="Number"') == 1
    assert (await private.get("/api/v1/calls?number=erased:")).status_code == 400
