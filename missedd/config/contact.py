"""Reads `countries`, of `[contact]`, `[campaign.contact]` and `[[poll]]`: `["IN", "AE"]` or `"any"`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from missedd.config.table import ConfigTable
from missedd.config.values import closest_match, toml_repr
from missedd.core.contact_countries import ANY_COUNTRY, Countries
from missedd.core.numbering_plan import all_regions, region_of, regions_of_calling_code
from missedd.core.policy import Campaign

_COUNTRY_ALIASES: Final = {"UK": "GB", "USA": "US", "UAE": "AE", "KSA": "SA"}
"""What a country is called at least as often as by its code."""


def read_contact(table: ConfigTable | None, default: Countries = None) -> Countries:
    """Whom a table lets be contacted; `default` where it is absent or silent."""
    countries = None if table is None else read_countries(table)
    return default if countries is None else countries


def read_countries(table: ConfigTable) -> Countries:
    """The value of `countries`, None where it is absent or wrong."""
    if table.value("countries") == "any":
        return ANY_COUNTRY
    found: set[str] = set()
    for i, country in table.items("countries"):
        known = set(all_regions())
        if country == "any":
            table.problem(f"countries[{i}]", 'stands for itself: write countries = "any"')
        elif country not in known:
            name = country if isinstance(country, str) else ""
            reason = f'is no country as ISO 3166 writes it, such as "IN": {toml_repr(country)}'
            table.problem(f"countries[{i}]", reason, guess_country(name, known))
        else:
            found.add(str(country))
    if table.value("countries") == []:
        table.problem("countries", "must not be empty: leave it out for the ExoPhone's own country")
    return frozenset(found) or None


def guess_country(name: str, known: Collection[str], similarity: float = 0.65) -> str | None:
    """The country that was likely meant: by its name in some language, its calling code, or a slip."""
    name = name.strip()
    code = _COUNTRY_ALIASES.get(name.upper(), name.upper())
    if code in known:
        return code
    if name.lstrip("+").isdecimal():
        return next(iter(regions_of_calling_code(int(name.lstrip("+")))), None)
    # A large table of names, which only a mistake has a use for.
    from phonenumbers.geodata.locale import LOCALE_DATA

    names = {
        spelt: region
        for region, by_language in LOCALE_DATA.items()
        for spelt in by_language.values()
        if region in known and not spelt.startswith("*")
    }
    found = closest_match(name, names, similarity)
    return None if found is None else names[found]


def contact_warnings(campaign: Campaign) -> Iterator[str]:
    """Where a campaign contacts whoever rings, without having said so."""
    for i, number in enumerate(campaign.exophones):
        if campaign.countries is None and region_of(number) is None:
            yield (
                f"{campaign.label}: exophones[{i}]: is of no country by the numbering plan, so callers of "
                "every country are contacted; [contact] countries says which shall be"
            )
