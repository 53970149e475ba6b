"""The shapes of a call that comes in: what became of it, and what its requests look like."""

from __future__ import annotations

from simulator.base.choices import Choice


class CallShape(Choice):
    # A missed call, as the missed-call URL is meant for.
    PASSTHRU = "passthru"
    NATIVE = "native"
    BOTH = "both"
    ABANDONED = "abandoned"
    """The caller cut before any applet ran: Exotel posts nothing."""

    # One Passthru at the end of the call.
    DIGITS = "digits"
    """The caller pressed a key in a menu and hung up."""
    CLIENT_HANGUP = "client-hangup"
    """The caller hung up while an agent's telephone rang."""
    NOT_ANSWERED = "incomplete-no-answer"
    """A Connect applet rang an agent who did not take it; or was busy, or could not be reached."""
    AGENT_BUSY = "incomplete-busy"
    AGENT_FAILED = "incomplete-failed"
    VOICEMAIL = "voicemail"
    ANSWERED = "answered"
    """An agent took the call: no missed call, and nothing is posted either."""
    TALKED = "talked"
    """An agent took the call, and a Passthru behind the conversation tells of it."""
    INSIGHTS_TALKED = "insights-talked"
    """The same, and only the `Insights[…]` of the Passthru say so."""
    INSIGHTS_MISSED = "insights-missed"
    BOT_TALKED = "bot-talked"
    """A voicebot talked to the caller: `CallType=call-attempt`, and `Stream[…]` says so."""
    BOT_FAILED = "bot-failed"

    # A missed call told as a status, with a start and an end.
    ENDED_BUSY = "ended-busy"
    ENDED_NO_ANSWER = "ended-no-answer"

    # Several requests of one call.
    ATTEMPT_THEN_TALKED = "attempt-then-talked"
    """A Passthru before the Connect applet and another behind it."""
    ATTEMPT_THEN_MISSED = "attempt-then-missed"
    NO_ANSWER_THEN_TALKED = "no-answer-then-talked"
    """Two Connect applets in a row, with a Passthru behind each."""
    TALKED_THEN_LATE_ATTEMPT = "talked-then-late-attempt"
    """The first Passthru is delivered long after the second."""
    POPUP_THEN_TALKED = "popup-then-talked"
    """An agent's popup while their telephone rings, and another when they are free again."""
    POPUP_THEN_MISSED = "popup-then-missed"
    ATTEMPT_THEN_VOICEMAIL = "attempt-then-voicemail"
    VOICEBOT_TALKED = "voicebot-talked"
    """The requests of a voicebot's applet, and the Passthru behind it."""

    # Requests that tell neither of a missed call nor of the end of one.
    POPUP = "popup"
    POPUP_FREE = "popup-free"
    VOICEBOT_URL = "voicebot-url"
    """A Voicebot applet asks for its address: a GET, and since 2026 a form."""
    VOICEBOT_FORM = "voicebot-form"
    STREAM_START = "stream-start"
    INTEGRATION_CORE = "integration-core"
    CCM = "ccm"
    DIAL_WHOM = "dial-whom"
