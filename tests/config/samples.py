"""Pieces of configuration that the tests put together, and what is read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from missedd.config.loader import ConfigProblem, InvalidConfig, Settings, load_settings

SITE = """
[listen]
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
"""
CAMPAIGN = SITE + '[[campaign]]\nname = "a"\nexophones = ["+918047120001"]\n'
ENTITY, TEMPLATE, OTHER_TEMPLATE = "1101000000000000000", "1107000000000000002", "1107000000000000003"
CALLBACK = CAMPAIGN + '[campaign.callback]\nflow = "1"\n'
SMS = (
    CAMPAIGN
    + '[campaign.sms]\nsender = "EXAMPL"\nbody = "Hi"\n'
    + f'dlt_entity_id = "{ENTITY}"\ndlt_template_id = "{TEMPLATE}"\n'
)
HOURS = CAMPAIGN + '[campaign.hours]\nopen = ["daily 09:00-18:00"]\n'


def read(text: str, folder: Path, **environ: str) -> Settings:
    file = folder / "missedd.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ)


def problems_of(text: str, folder: Path) -> tuple[ConfigProblem, ...]:
    with pytest.raises(InvalidConfig) as caught:
        read(text, folder)
    return caught.value.problems
