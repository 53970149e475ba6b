"""A trouble begins once, is counted while it goes on, and is forgotten at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from missedd.core.upstream.trouble import Trouble, TroubleKind
from missedd.engine.alerts.active_alerts import Troubles

NOW = datetime(2026, 11, 23, 11, tzinfo=UTC)
KIND = TroubleKind.PROVIDER_UNREACHABLE


def test_the_first_sign_says_since_when_and_the_latest_says_why() -> None:
    troubles = Troubles()
    troubles.note(KIND, "voice", "refused", "wait", NOW)
    troubles.note(KIND, "voice", "timed out", "wait", NOW + timedelta(seconds=5))
    assert troubles.going_on() == [Trouble(KIND, "voice", NOW, 2, "timed out", "wait")]


def test_what_has_ended_begins_anew() -> None:
    troubles = Troubles()
    troubles.note(KIND, "voice", "refused", "wait", NOW)
    troubles.note(KIND, "sms", "refused", "wait", NOW)
    ended = troubles.end(KIND, "voice")
    assert ended is not None
    assert ended.tries == 1
    assert troubles.end(KIND, "voice") is None
    again = troubles.note(KIND, "voice", "refused", "wait", NOW + timedelta(hours=1))
    assert (again.since, again.tries) == (NOW + timedelta(hours=1), 1)
    assert [trouble.subject for trouble in troubles.going_on()] == ["sms", "voice"]
