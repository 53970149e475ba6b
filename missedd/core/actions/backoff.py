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

FIRST_BACKOFF_S: Final = {Reason.CONNECTION_FAILED: 2.0, Reason.RATE_LIMITED: 10.0}
MAX_BACKOFF_S: Final = 300.0

WEBHOOK_BACKOFF_S: Final = (5, 30, 300, 1800, 7200, 18000, 36000, 36000, 50400, 72000, 86400)
"""After how long an undelivered webhook is tried again; about 86 hours in all, then it is parked.
The Standard Webhooks letter suggests a schedule over some three days."""

LOOKUP_BACKOFF_S: Final[dict[State, tuple[int, ...]]] = {
    # A lost answer: the call list shows a new call within seconds; ten minutes of silence is a no.
    State.ATTEMPTING: (5, 30, 120, 480),
    # No report: details are final some two to five minutes after the call, fifteen at the worst;
    # Exotel's own redeliveries come after five and twenty minutes. Two hours, then it is unknown.
    State.PLACED: (180, 180, 600, 1200, 2400, 3600),
}


def with_jitter(wait_s: float, rng: Random) -> float:
    return wait_s * (1 + JITTER * rng.random())


def refusal_backoff(reason: Reason, tries: int, retry_after_s: float | None, rng: Random) -> float:
    """Seconds until a provider is asked again after its `tries`-th refusal (from 1): doubling from the
    first wait of its reason, at most five minutes; at least what the provider asked for."""
    first_s = FIRST_BACKOFF_S.get(reason, 5.0)
    wait_s = min(first_s * 2 ** min(tries - 1, 10), MAX_BACKOFF_S)
    if retry_after_s:
        # The provider's own wish replaces our guess for a rate limit, and bounds it elsewhere. "In 0 s"
        # is no wish: whoever is refused again at once would ask again for ever.
        wait_s = retry_after_s if reason is Reason.RATE_LIMITED else max(wait_s, retry_after_s)
    return with_jitter(wait_s, rng)


def webhook_backoff(tries: int, retry_after_s: float | None, rng: Random) -> float | None:
    """Seconds until a webhook's next try after its `tries`-th failure (from 1); None when it is parked."""
    if tries > len(WEBHOOK_BACKOFF_S):
        return None
    return with_jitter(max(WEBHOOK_BACKOFF_S[tries - 1], retry_after_s or 0), rng)


def lookup_backoff(state: State, kind: Kind, lookups: int) -> float | None:
    """Seconds until the next look-up after `lookups` of them; None when it is time to give up.

    An SMS whose answer was lost has no list to be looked up in: one long wait for its status
    report, whose address names the action, is all there is.
    """
    if kind is Kind.SMS and state is State.ATTEMPTING:
        return 1800.0 if lookups == 0 else None
    waits = LOOKUP_BACKOFF_S[state]
    return float(waits[lookups]) if lookups < len(waits) else None


EARLY_LOOKUP_AFTER: Final = timedelta(seconds=30)
EARLY_LOOKUP_EVERY: Final = timedelta(minutes=1)


def next_early_lookup(placed_at: datetime, ring_timeout: timedelta, now: datetime) -> datetime:
    """When a call is looked up next whose end somebody waits for: half a minute after it can have rung in
    vain, then every minute; at `now` or later."""
    first = placed_at + ring_timeout + EARLY_LOOKUP_AFTER
    return first if now <= first else first - (first - now) // EARLY_LOOKUP_EVERY * EARLY_LOOKUP_EVERY


def is_early_lookup(state: State, kind: Kind, lookups: int, placed_at: datetime, now: datetime) -> bool:
    """Whether a look-up at `now` comes before the one that would be made anyway, after `lookups` of those."""
    waits = LOOKUP_BACKOFF_S.get(state, ()) if kind is Kind.CALLBACK else ()
    return now < placed_at + timedelta(seconds=sum(waits[: lookups + 1]))
