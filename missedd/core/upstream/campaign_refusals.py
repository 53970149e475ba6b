"""Whether a refusal that looks like the account's concerns only one campaign.

    10:00 "shop" is refused with 403; 10:01 a call of "school" is accepted; 10:02 "shop" is refused again
    -> only "shop" is refused: perhaps its flow or its caller id belongs to another account

A fault of the account refuses everybody and holds the lane. A fault of one campaign must not hold up the
others. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from typing import Final

ACCEPTED_PROOF_S: Final = 600.0
"""An accepted request proves for this long that the account works (seconds). After that a refusal may concern
the account again, even if campaigns were refused one by one before."""


class CampaignRefusals:
    """The refused campaigns of one lane. Kept in memory only, and learned again after a start."""

    def __init__(self) -> None:
        self._refused_since: dict[str, float] = {}
        self._accepted_at: dict[str, float] = {}

    def record_accepted(self, campaign: str, began_s: float) -> bool:
        """Record an accepted request that began at `began_s`. Returns whether the campaign had been
        refused."""
        self._accepted_at[campaign] = began_s
        return self._refused_since.pop(campaign, None) is not None

    def record_refusal(self, campaign: str, now_s: float) -> bool:
        """Record a refusal that looks like the account's. Returns whether only this campaign is refused."""
        since_s = self._refused_since.setdefault(campaign, now_s)
        latest_s = max((at for name, at in self._accepted_at.items() if name != campaign), default=None)
        return latest_s is not None and since_s < latest_s and now_s - latest_s <= ACCEPTED_PROOF_S
