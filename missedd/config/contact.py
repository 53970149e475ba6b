"""Reads `countries` of `[contact]`, `[campaign.contact]` and `[[poll]]`: `["IN", "AE"]` or `"any"`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from missedd.config.table import ConfigTable
from missedd.config.values import closest_match, toml_repr
from missedd.core.contact_countries import ANY_COUNTRY, Countries
from missedd.core.numbering_plan import all_regions, region_of, regions_of_calling_code
from missedd.core.policy import Campaign

_COUNTRY_ALIASES: Final = {"UK": "GB", "USA": "US", "UAE": "AE", "KSA": "SA"}
"""Common abbreviations that differ from the ISO 3166 code."""


def read_contact(table: ConfigTable | None, default: Countries = None) -> Countries:
    """The countries whose numbers may be contacted; `default` if the table or its key is absent."""
    countries = None if table is None else read_countries(table)
    return default if countries is None else countries


def read_countries(table: ConfigTable) -> Countries:
    """The value of `countries`; None if it is absent or wrong."""
    if table.value("countries") == "any":
        return ANY_COUNTRY
    countries: set[str] = set()
    for i, country in table.items("countries"):
        known = set(all_regions())
        if country == "any":
            table.problem(f"countries[{i}]", 'cannot be in a list: write countries = "any"')
        elif country not in known:
            name = country if isinstance(country, str) else ""
            reason = f'is not a country code of ISO 3166 such as "IN": {toml_repr(country)}'
            table.problem(f"countries[{i}]", reason, guess_country(name, known))
        else:
            countries.add(str(country))
    if table.value("countries") == []:
        table.problem(
            "countries", "must not be empty: leave the key out to allow only the ExoPhone's own country"
        )
    return frozenset(countries) or None


def guess_country(name: str, known: Collection[str], similarity: float = 0.65) -> str | None:
    """The country that was probably meant: by its name in any language, by its calling code, or by a typing
    mistake."""
    name = name.strip()
    code = _COUNTRY_ALIASES.get(name.upper(), name.upper())
    if code in known:
        return code
    if name.lstrip("+").isdecimal():
        return next(iter(regions_of_calling_code(int(name.lstrip("+")))), None)
    # A large table of names, needed only after a mistake.
    from phonenumbers.geodata.locale import LOCALE_DATA

    names = {
        spelt: region
        for region, by_language in LOCALE_DATA.items()
        for spelt in by_language.values()
        if region in known and not spelt.startswith("*")
    }
    match = closest_match(name, names, similarity)
    return None if match is None else names[match]


def contact_warnings(campaign: Campaign) -> Iterator[str]:
    """ExoPhones of a campaign that contacts callers of every country, although the configuration does not say
    so."""
    for i, number in enumerate(campaign.exophones):
        if campaign.countries is None and region_of(number) is None:
            yield (
                f"{campaign.label}: exophones[{i}]: belongs to no country in the numbering plan, so "
                "callers from every country are contacted; set countries in [contact] to limit this"
            )
