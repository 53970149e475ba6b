"""How long to wait before another attempt, before a lookup, and before giving up.

Waits are in seconds. The caller passes the `Random` for the jitter. Jitter never makes a wait shorter than
the provider asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Final

from missedd.core.model import Kind, State
from missedd.core.reasons import Reason

JITTER: Final = 0.2
"""A wait becomes 1 to 1.2 times as long, so that many requests refused together do not return together."""

FIRST_BACKOFF_S: Final = {Reason.CONNECTION_FAILED: 2.0, Reason.RATE_LIMITED: 10.0}
MAX_BACKOFF_S: Final = 300.0

WEBHOOK_BACKOFF_S: Final = (5, 30, 300, 1800, 7200, 18000, 36000, 36000, 50400, 72000, 86400)
"""The waits between the attempts of an undelivered webhook, about 86 hours in all; then it needs an operator.
The Standard Webhooks specification suggests a schedule of about three days."""

LOOKUP_BACKOFF_S: Final[dict[State, tuple[int, ...]]] = {
    # A lost answer: the call list shows a new call within seconds, so after ten minutes there is none.
    State.ATTEMPTING: (5, 30, 120, 480),
    # No report: details are final two to five minutes after the call, fifteen at worst. Exotel's own
    # redeliveries come after five and twenty minutes. After two hours the outcome is unknown.
    State.PLACED: (180, 180, 600, 1200, 2400, 3600),
}


def with_jitter(wait_s: float, rng: Random) -> float:
    return wait_s * (1 + JITTER * rng.random())


def refusal_backoff(reason: Reason, tries: int, retry_after_s: float | None, rng: Random) -> float:
    """Seconds until a provider is asked again after its `tries`-th refusal (from 1).

    The wait starts with the first wait of its reason and doubles, up to five minutes. It is never shorter
    than the provider asked for.
    """
    first_s = FIRST_BACKOFF_S.get(reason, 5.0)
    wait_s = min(first_s * 2 ** min(tries - 1, 10), MAX_BACKOFF_S)
    if retry_after_s:
        # For a rate limit, the provider's wait replaces ours; elsewhere it is the minimum. A wait of 0 s
        # is ignored: a request that is refused again at once would be repeated for ever.
        wait_s = retry_after_s if reason is Reason.RATE_LIMITED else max(wait_s, retry_after_s)
    return with_jitter(wait_s, rng)


def webhook_backoff(tries: int, retry_after_s: float | None, rng: Random) -> float | None:
    """Seconds until a webhook's next attempt after its `tries`-th failure (from 1); None if there is none."""
    if tries > len(WEBHOOK_BACKOFF_S):
        return None
    return with_jitter(max(WEBHOOK_BACKOFF_S[tries - 1], retry_after_s or 0), rng)


def lookup_backoff(state: State, kind: Kind, lookups: int) -> float | None:
    """Seconds until the next lookup after `lookups` of them; None if there is none.

    An SMS whose answer was lost is in no list that could be looked up. So there is only one long wait, for
    its status report; the report's address names the action.
    """
    if kind is Kind.SMS and state is State.ATTEMPTING:
        return 1800.0 if lookups == 0 else None
    waits = LOOKUP_BACKOFF_S[state]
    return float(waits[lookups]) if lookups < len(waits) else None


EARLY_LOOKUP_AFTER: Final = timedelta(seconds=30)
EARLY_LOOKUP_EVERY: Final = timedelta(minutes=1)


def next_early_lookup(placed_at: datetime, ring_timeout: timedelta, now: datetime) -> datetime:
    """The next lookup of a call whose end another action waits for; at `now` or later.

    The first lookup comes half a minute after an unanswered call would have ended, then one comes every
    minute.
    """
    first = placed_at + ring_timeout + EARLY_LOOKUP_AFTER
    return first if now <= first else first - (first - now) // EARLY_LOOKUP_EVERY * EARLY_LOOKUP_EVERY


def is_early_lookup(state: State, kind: Kind, lookups: int, placed_at: datetime, now: datetime) -> bool:
    """Whether a lookup at `now` comes before the regular one, after `lookups` regular ones."""
    waits = LOOKUP_BACKOFF_S.get(state, ()) if kind is Kind.CALLBACK else ()
    return now < placed_at + timedelta(seconds=sum(waits[: lookups + 1]))
