"""Whom a campaign contacts, by country: those that the operator names, else its ExoPhone's own.

One ring from a satellite or a premium range abroad is an invitation to call back, and that is what the
fraudster is paid for. So a callback or an SMS stays in the country of the ExoPhone that was rung, unless
`countries = ["IN", "AE"]` or `"any"` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from missedd.core.numbering_plan import region_of

type Countries = frozenset[str] | None
"""As ISO 3166 has them; None where nothing is said, so that the ExoPhone's own country is meant."""

ANY_COUNTRY: Final = frozenset({"any"})
"""Every number, those of no country included."""

EXCLUDED_LOOKBACK: Final = timedelta(days=30)
"""How far back it is looked which callers will not be contacted."""


def may_contact(countries: Countries, number: str, exophone: str) -> bool:
    """Whether a caller of this ExoPhone may be called and texted; numbers are E.164.

    An ExoPhone that has no country by the numbering plan keeps nobody out.
    """
    if countries is None:
        # Almost every call, twice: the callback's and the SMS's.
        if number[:3] == exophone[:3] == "+91":
            return True
        own = region_of(exophone)
        return own is None or region_of(number) == own
    return is_in_countries(countries, number)


def is_in_countries(countries: frozenset[str], number: str) -> bool:
    """Whether a number is of one of these countries. One of no country is only of `ANY_COUNTRY`."""
    return "any" in countries or region_of(number) in countries


@dataclass(frozen=True, slots=True)
class ExcludedCallers:
    """Callers of a campaign whose country it does not contact: how many, and how often they rang."""

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
    """How often one caller rang one ExoPhone of a campaign."""

    campaign: str
    countries: Countries
    exophone: str
    caller: str
    calls: int


def excluded_callers(caller_calls: Iterable[CallerCalls]) -> list[ExcludedCallers]:
    """Whom these rules leave out of those who rang, by campaign and country, the most callers first."""
    callers: dict[tuple[str, str | None], set[str]] = {}
    calls: dict[tuple[str, str | None], int] = {}
    for each in caller_calls:
        if not may_contact(each.countries, each.caller, each.exophone):
            key = each.campaign, region_of(each.caller)
            callers.setdefault(key, set()).add(each.caller)
            calls[key] = calls.get(key, 0) + each.calls
    found = [ExcludedCallers(*key, len(numbers), calls[key]) for key, numbers in callers.items()]
    return sorted(found, key=lambda each: (each.campaign, -each.callers, each.country or "~"))


def describe_excluded(excluded: Iterable[ExcludedCallers]) -> str:
    """Callers of one campaign that are left out, as a list."""
    return ", ".join(map(str, excluded))


def suggested_config_line(
    countries: Countries, exophones: Iterable[str], excluded: Iterable[ExcludedCallers]
) -> str:
    """The line of a campaign's `[campaign.contact]` with which these callers are contacted too."""
    wanted = {each.country for each in excluded}
    kept = countries or {region for region in map(region_of, exophones) if region is not None}
    names = sorted(kept | {country for country in wanted if country is not None})
    return (
        'countries = "any"' if None in wanted else f"countries = [{', '.join(f'"{each}"' for each in names)}]"
    )
