"""Reads `countries`, of `[contact]`, `[campaign.contact]` and `[[poll]]`: `["IN", "AE"]` or `"any"`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from missedd.config.table import Table
from missedd.config.values import nearest, shown
from missedd.core.contact_countries import ANY, Countries
from missedd.core.numbering_plan import all_regions, region_of, regions_of_code
from missedd.core.policy import Campaign

_OTHER_NAMES: Final = {"UK": "GB", "USA": "US", "UAE": "AE", "KSA": "SA"}
"""What a country is called at least as often as by its code."""


def read_contact(table: Table | None, otherwise: Countries = None) -> Countries:
    """Whom a table lets be contacted; `otherwise` where it is absent or silent."""
    countries = None if table is None else read_countries(table)
    return otherwise if countries is None else countries


def read_countries(table: Table) -> Countries:
    """The value of `countries`, None where it is absent or wrong."""
    if table.value("countries") == "any":
        return ANY
    found: set[str] = set()
    for i, country in table.items("countries"):
        known = set(all_regions())
        if country == "any":
            table.problem(f"countries[{i}]", 'stands for itself: write countries = "any"')
        elif country not in known:
            name = country if isinstance(country, str) else ""
            reason = f'is no country as ISO 3166 writes it, such as "IN": {shown(country)}'
            table.problem(f"countries[{i}]", reason, country_meant(name, known))
        else:
            found.add(str(country))
    if table.value("countries") == []:
        table.problem("countries", "must not be empty: leave it out for the ExoPhone's own country")
    return frozenset(found) or None


def country_meant(name: str, known: Collection[str], likeness: float = 0.65) -> str | None:
    """The country that was likely meant: by its name in some language, its calling code, or a slip."""
    name = name.strip()
    code = _OTHER_NAMES.get(name.upper(), name.upper())
    if code in known:
        return code
    if name.lstrip("+").isdecimal():
        return next(iter(regions_of_code(int(name.lstrip("+")))), None)
    # A large table of names, which only a mistake has a use for.
    from phonenumbers.geodata.locale import LOCALE_DATA

    names = {
        spelt: region
        for region, by_language in LOCALE_DATA.items()
        for spelt in by_language.values()
        if region in known and not spelt.startswith("*")
    }
    found = nearest(name, names, likeness)
    return None if found is None else names[found]


def contact_warnings(campaign: Campaign) -> Iterator[str]:
    """Where a campaign contacts whoever rings, without having said so."""
    for i, number in enumerate(campaign.exophones):
        if campaign.countries is None and region_of(number) is None:
            yield (
                f"{campaign.key}: exophones[{i}]: is of no country by the numbering plan, so callers of "
                "every country are contacted; [contact] countries says which shall be"
            )
