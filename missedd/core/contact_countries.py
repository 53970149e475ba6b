"""Whom a campaign contacts, by country: the countries in the configuration, else the ExoPhone's own country.

Example of the fraud that this prevents: a call from an expensive satellite or premium-rate number abroad asks
for a callback, and the fraudster earns money with each callback. So a callback or an SMS stays in the country
of the called ExoPhone, unless `countries = ["IN", "AE"]` or `"any"` allows more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from missedd.core.numbering_plan import region_of

type Countries = frozenset[str] | None
"""ISO 3166 codes. None: the configuration says nothing, so only the ExoPhone's own country counts."""

ANY_COUNTRY: Final = frozenset({"any"})
"""Every number, including numbers without a country."""

EXCLUDED_LOOKBACK: Final = timedelta(days=30)
"""How far back calls are searched for callers who will not be contacted."""


def may_contact(countries: Countries, number: str, exophone: str) -> bool:
    """Whether a campaign may call and text this caller of this ExoPhone; both numbers are E.164.

    An ExoPhone without a country in the numbering plan excludes nobody.
    """
    if countries is None:
        # This is true for almost every call; it is asked twice a call, for the callback and for the SMS.
        if number[:3] == exophone[:3] == "+91":
            return True
        own = region_of(exophone)
        return own is None or region_of(number) == own
    return is_in_countries(countries, number)


def is_in_countries(countries: frozenset[str], number: str) -> bool:
    """Whether a number belongs to one of these countries. A number without a country is only in
    `ANY_COUNTRY`."""
    return "any" in countries or region_of(number) in countries


@dataclass(frozen=True, slots=True)
class ExcludedCallers:
    """Callers of a campaign from one country that the campaign does not contact: how many, and how many
    calls."""

    campaign: str
    country: str | None
    callers: int
    calls: int

    def __str__(self) -> str:
        whom = "of no country" if self.country is None else f"from {self.country}"
        people = f"{self.callers} caller{'s' if self.callers != 1 else ''} {whom}"
        return f"{people} ({self.calls} call{'s' if self.calls != 1 else ''})"


@dataclass(frozen=True, slots=True)
class CallerCalls:
    """How often one caller called one ExoPhone of a campaign."""

    campaign: str
    countries: Countries
    exophone: str
    caller: str
    calls: int


def excluded_callers(caller_calls: Iterable[CallerCalls]) -> list[ExcludedCallers]:
    """The callers that these rules exclude, by campaign and country, the largest group first."""
    callers: dict[tuple[str, str | None], set[str]] = {}
    calls: dict[tuple[str, str | None], int] = {}
    for record in caller_calls:
        if not may_contact(record.countries, record.caller, record.exophone):
            key = record.campaign, region_of(record.caller)
            callers.setdefault(key, set()).add(record.caller)
            calls[key] = calls.get(key, 0) + record.calls
    excluded = [ExcludedCallers(*key, len(numbers), calls[key]) for key, numbers in callers.items()]
    return sorted(excluded, key=lambda each: (each.campaign, -each.callers, each.country or "~"))


def describe_excluded(excluded: Iterable[ExcludedCallers]) -> str:
    """The excluded callers of one campaign as a list in words."""
    return ", ".join(map(str, excluded))


def suggested_config_line(
    countries: Countries, exophones: Iterable[str], excluded: Iterable[ExcludedCallers]
) -> str:
    """The `countries` line for a campaign's `[campaign.contact]` that would include these callers."""
    wanted = {each.country for each in excluded}
    allowed = countries or {region for region in map(region_of, exophones) if region is not None}
    names = sorted(allowed | {country for country in wanted if country is not None})
    return (
        'countries = "any"' if None in wanted else f"countries = [{', '.join(f'"{each}"' for each in names)}]"
    )
