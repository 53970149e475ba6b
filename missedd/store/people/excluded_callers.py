"""Recent callers from countries that are not contacted: shown by `check`, logged once after an upgrade."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from missedd.base.clock import to_us
from missedd.core.contact_countries import (
    EXCLUDED_LOOKBACK,
    CallerCalls,
    ExcludedCallers,
    excluded_callers,
    may_contact,
)
from missedd.core.model import Kind
from missedd.core.policy import Campaign, Policy
from missedd.store.db.database import Database, ReadOnlyDatabase

NOTICE: Final = "callers-left-out"
_INDIAN: Final = "+919999999999"


async def load_excluded_callers(db: ReadOnlyDatabase, policy: Policy, now: datetime) -> list[ExcludedCallers]:
    """The callers of the last `EXCLUDED_LOOKBACK` whom their campaigns would not contact now.

    Works with every schema version that was ever released.
    """
    campaigns = {campaign.name: campaign for campaign in policy.campaigns if _contacts_somebody(campaign)}
    # With this condition SQLite uses the index by caller and skips India; else it would read every call.
    abroad = "AND (caller < '+91' OR caller >= '+92')" if all(map(_keeps_india, campaigns.values())) else ""
    rows = await db.fetch_all(
        f"""SELECT campaign, exophone, caller, count(*) FROM calls
            WHERE called_at >= ? AND verdict IN ('accepted', 'duplicate') {abroad}
              AND caller NOT LIKE 'erased:%' AND exophone IS NOT NULL
            GROUP BY campaign, exophone, caller""",  # noqa: S608 - ours
        (to_us(now - EXCLUDED_LOOKBACK),),
    )
    return excluded_callers(
        CallerCalls(name, campaigns[name].countries, exophone, caller, calls)
        for name, exophone, caller, calls in rows
        if name in campaigns
    )


async def is_notice_pending(db: Database) -> bool:
    """Whether the database is older than the countries setting, and no notice has been logged since."""
    return bool(await db.fetch_all("SELECT 1 FROM notices WHERE name = ?", (NOTICE,)))


async def delete_notice(db: Database) -> None:
    await db.execute("DELETE FROM notices WHERE name = ?", (NOTICE,))


def _contacts_somebody(campaign: Campaign) -> bool:
    return not {Kind.SMS, Kind.CALLBACK}.isdisjoint(campaign.action_kinds)


def _keeps_india(campaign: Campaign) -> bool:
    return all(may_contact(campaign.countries, _INDIAN, exophone) for exophone in campaign.exophones)
