"""A trouble begins once, is counted while it lasts, and is removed at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from missedd.core.upstream.trouble import Trouble, TroubleKind
from missedd.engine.alerts.active_alerts import ActiveTroubles

NOW = datetime(2026, 11, 23, 11, tzinfo=UTC)
KIND = TroubleKind.PROVIDER_UNREACHABLE


def test_the_first_sign_says_since_when_and_the_latest_says_why() -> None:
    troubles = ActiveTroubles()
    troubles.record(KIND, "voice", "refused", "wait", NOW)
    troubles.record(KIND, "voice", "timed out", "wait", NOW + timedelta(seconds=5))
    assert troubles.active() == [Trouble(KIND, "voice", NOW, 2, "timed out", "wait")]


def test_what_has_ended_begins_anew() -> None:
    troubles = ActiveTroubles()
    troubles.record(KIND, "voice", "refused", "wait", NOW)
    troubles.record(KIND, "sms", "refused", "wait", NOW)
    ended = troubles.resolve(KIND, "voice")
    assert ended is not None
    assert ended.tries == 1
    assert troubles.resolve(KIND, "voice") is None
    again = troubles.record(KIND, "voice", "refused", "wait", NOW + timedelta(hours=1))
    assert (again.since, again.tries) == (NOW + timedelta(hours=1), 1)
    assert [trouble.subject for trouble in troubles.active()] == ["sms", "voice"]
