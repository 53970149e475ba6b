"""How long to wait: before another try, before a look-up, before giving up.

Waits are in seconds. Jitter comes from a `Random` that is passed in, and never shortens a wait
that the provider asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Final

from missedd.core.model import Kind, State
from missedd.core.reasons import Reason

JITTER: Final = 0.2
"""A wait is spread over [1, 1.2] of itself, so that a crowd refused together does not return together."""

FIRST_WAIT_S: Final = {Reason.CONNECTION_FAILED: 2.0, Reason.RATE_LIMITED: 10.0}
LONGEST_WAIT_S: Final = 300.0

WEBHOOK_WAITS_S: Final = (5, 30, 300, 1800, 7200, 18000, 36000, 36000, 50400, 72000, 86400)
"""After how long an undelivered webhook is tried again; about 86 hours in all, then it is parked.
The Standard Webhooks letter suggests a schedule over some three days."""

LOOK_WAITS_S: Final[dict[State, tuple[int, ...]]] = {
    # A lost answer: the call list shows a new call within seconds; ten minutes of silence is a no.
    State.ATTEMPTING: (5, 30, 120, 480),
    # No report: details are final some two to five minutes after the call, fifteen at the worst;
    # Exotel's own redeliveries come after five and twenty minutes. Two hours, then it is unknown.
    State.PLACED: (180, 180, 600, 1200, 2400, 3600),
}


def jittered(wait_s: float, rng: Random) -> float:
    return wait_s * (1 + JITTER * rng.random())


def wait_after_refusal(reason: Reason, tries: int, retry_after_s: float | None, rng: Random) -> float:
    """Seconds until a provider is asked again after its `tries`-th refusal (from 1): doubling from the
    first wait of its reason, at most five minutes; at least what the provider asked for."""
    first_s = FIRST_WAIT_S.get(reason, 5.0)
    wait_s = min(first_s * 2 ** min(tries - 1, 10), LONGEST_WAIT_S)
    if retry_after_s:
        # The provider's own wish replaces our guess for a rate limit, and bounds it elsewhere. "In 0 s"
        # is no wish: whoever is refused again at once would ask again for ever.
        wait_s = retry_after_s if reason is Reason.RATE_LIMITED else max(wait_s, retry_after_s)
    return jittered(wait_s, rng)


def webhook_wait(tries: int, retry_after_s: float | None, rng: Random) -> float | None:
    """Seconds until a webhook's next try after its `tries`-th failure (from 1); None when it is parked."""
    if tries > len(WEBHOOK_WAITS_S):
        return None
    return jittered(max(WEBHOOK_WAITS_S[tries - 1], retry_after_s or 0), rng)


def look_wait(state: State, kind: Kind, looks: int) -> float | None:
    """Seconds until the next look-up after `looks` of them; None when it is time to give up.

    An SMS whose answer was lost has no list to be looked up in: one long wait for its status
    report, whose address names the action, is all there is.
    """
    if kind is Kind.SMS and state is State.ATTEMPTING:
        return 1800.0 if looks == 0 else None
    waits = LOOK_WAITS_S[state]
    return float(waits[looks]) if looks < len(waits) else None


AWAITED_AFTER: Final = timedelta(seconds=30)
AWAITED_EVERY: Final = timedelta(minutes=1)


def next_awaited_look(placed_at: datetime, ring_timeout: timedelta, now: datetime) -> datetime:
    """When a call is looked up next whose end somebody waits for: half a minute after it can have rung in
    vain, then every minute; at `now` or later."""
    first = placed_at + ring_timeout + AWAITED_AFTER
    return first if now <= first else first - (first - now) // AWAITED_EVERY * AWAITED_EVERY


def is_ahead_of_schedule(state: State, kind: Kind, looks: int, placed_at: datetime, now: datetime) -> bool:
    """Whether a look-up at `now` comes before the one that would be made anyway, after `looks` of those."""
    waits = LOOK_WAITS_S.get(state, ()) if kind is Kind.CALLBACK else ()
    return now < placed_at + timedelta(seconds=sum(waits[: looks + 1]))
