"""Every configuration that the documentation shows is taken by the reader of the configuration.

A block that begins with `# part of missedd.toml` is read inside a minimal configuration; every other one
by itself. Scenario files have a reader of their own.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from missedd.config.loader import InvalidConfig, load_settings_table
from simulator.scenario.loader import load_scenario
from tests.docs.markdown import Block, blocks_in, page

PART = "# part of missedd.toml\n"
LISTEN = {"public_url": "https://calls.example.in"}
EXOTEL = {"account_sid": "example1", "api_base": "https://api.in.exotel.com"}
CAMPAIGN = '[[campaign]]\nname = "admissions"\nexophones = ["+918047120001"]\n'
SMS = {
    "sender": "EXAMPL",
    "body": "Thank you for calling.",
    "dlt_entity_id": "1101000000000000000",
    "dlt_template_id": "1107000000000000001",
}

SCENARIOS = [block for block in blocks_in("toml") if "[[expect]]" in block.text]
CONFIGURATIONS = [block for block in blocks_in("toml") if block not in SCENARIOS]


def completed(text: str) -> dict[str, Any]:
    """A part of a configuration with what it needs around it: the account, a campaign, a poll."""
    has_campaign = "[[campaign]]" in text
    of_campaign = not has_campaign and "[campaign." in text
    raw: dict[str, Any] = tomllib.loads(CAMPAIGN + text if of_campaign else text)
    raw["listen"] = LISTEN | raw.get("listen", {})
    raw["exotel"] = EXOTEL | raw.get("exotel", {})
    if "campaign" not in raw:
        raw |= tomllib.loads(CAMPAIGN)
    for number, campaign in enumerate(raw["campaign"]):
        campaign.setdefault("name", f"campaign-{number}")
        campaign.setdefault("exophones", [f"+9180471201{number:02d}"])
        if "callback" in campaign and not {"flow", "agents"} & campaign["callback"].keys():
            campaign["callback"]["agents"] = ["+919876500001"]
        if "sms" in campaign:
            campaign["sms"] = SMS | campaign["sms"]
        elif "sms" in campaign.get("after_hours", {}):
            campaign["sms"] = SMS
        if "webhook" in campaign:
            campaign["webhook"].setdefault("url", "https://crm.example.in/missed-call")
        if "after_hours" in campaign:
            campaign.setdefault("hours", {"open": ["mon-fri 09:30-18:30"]})
    votes = [campaign["vote"] for campaign in raw["campaign"] if "vote" in campaign]
    polls = raw.setdefault("poll", [])
    polls += [{"name": name} for name in {vote["poll"] for vote in votes} - {poll["name"] for poll in polls}]
    for poll in polls:
        if poll["name"] not in {vote["poll"] for vote in votes}:
            vote = {"poll": poll["name"], "option": "Asha"}
            raw["campaign"].append(
                {
                    "name": f"vote-{poll['name']}",
                    "exophones": [f"+91804712020{len(raw['campaign'])}"],
                    "vote": vote,
                }
            )
    return raw


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=str)
def test_each_configuration_is_taken(block: Block) -> None:
    is_part = block.text.startswith(PART)
    raw = completed(block.text) if is_part else tomllib.loads(block.text)
    load_settings_table(raw, "", Path("missedd.toml"))


def test_a_part_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="delai"):
        load_settings_table(
            completed(f'{PART}[campaign.callback]\ndelai = "30s"\n'), "", Path("missedd.toml")
        )


@pytest.mark.parametrize("block", SCENARIOS, ids=str)
def test_each_scenario_can_be_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(block.text, "utf-8")
    assert load_scenario(file).expectations


def test_the_page_about_the_simulator_shows_a_scenario() -> None:
    assert page("docs/simulator.md") in [block.page for block in SCENARIOS]
