"""Whether a refusal "of the account" is one campaign's own: others are taken while that campaign is refused.

    10:00 a call of "shop" is refused with 403; 10:01 one of "school" is taken; 10:02 "shop" is refused again
    -> the refusal is shop's own: its flow or its caller id belongs to another account, perhaps

What is wrong with the account refuses everybody, and holds a lane. What is wrong with one campaign must hold
up no other. Instants are seconds of a clock that never steps.
"""

from __future__ import annotations

from typing import Final

ACCEPTED_PROOF_S: Final = 600.0
"""For so long an order that was taken proves that the account is well: after that a refusal may be the
account's again, also where each campaign was refused alone before."""


class CampaignRefusals:
    """The refusals of one lane's campaigns. Kept in memory: after a start they are learnt anew."""

    def __init__(self) -> None:
        self._refused_since: dict[str, float] = {}
        self._accepted_at: dict[str, float] = {}

    def record_accepted(self, campaign: str, began_s: float) -> bool:
        """An order of the campaign that began then was taken; whether the campaign had been refused."""
        self._accepted_at[campaign] = began_s
        return self._refused_since.pop(campaign, None) is not None

    def record_refusal(self, campaign: str, now_s: float) -> bool:
        """Note that the account was refused to an order of the campaign; whether it is only the campaign."""
        since_s = self._refused_since.setdefault(campaign, now_s)
        latest_s = max((at for name, at in self._accepted_at.items() if name != campaign), default=None)
        return latest_s is not None and since_s < latest_s and now_s - latest_s <= ACCEPTED_PROOF_S
