"""Warnings: settings that are valid and yet probably not what the operator wants."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.config.samples import CALLBACK, CAMPAIGN, ENTITY, OTHER_TEMPLATE, SITE, SMS, TEMPLATE, read

OFFICE = '[campaign.hours]\nopen = ["mon-fri 09:30-18:30"]\n'
NIGHT = '{number = "+919876500002", open = ["mon-thu 19:00-02:00", "sun 00:00-24:00"]}'
TEXTED = SMS + 'dlt_template = "Hi"\n' + OFFICE + '[campaign.after_hours.sms]\nbody = "{opening}"\n'
TEXTED += f'dlt_template_id = "{OTHER_TEMPLATE}"\n' + 'dlt_template = "{#var#}"\n'
WARNED = {
    "nobody on duty": (
        CAMPAIGN + f"[campaign.callback]\nagents = [{NIGHT}]\n" + OFFICE,
        'campaign "a": callback.agents: nobody is on duty in business hours, so no callback is made',
    ),
    "one never on duty": (
        CAMPAIGN + f'[campaign.callback]\nagents = ["+919876500001", {NIGHT}]\n' + OFFICE,
        'campaign "a": callback.agents[1]: is never on duty in business hours',
    ),
    "plain http": (CALLBACK.replace("https:", "http:"), "listen.public_url: plain http"),
    "private in public": ('[listen]\nprivate = "0.0.0.0:1"\n' + CALLBACK[9:], "listen.private: 0.0.0.0:1"),
    "cut off": (
        CALLBACK.replace("https://calls.example.in", "http://127.0.0.1"),
        "listen.public_url: Exotel can",
    ),
    "no campaigns": (SITE, "campaign: there is no campaign"),
    "no actions": (CAMPAIGN, 'campaign "a": has no actions'),
    "nothing to compare": (SMS, 'campaign "a": sms: without dlt_template its text is not compared'),
    "no template": (
        SMS.replace(f'dlt_template_id = "{TEMPLATE}"\n', ""),
        'campaign "a": sms: without both DLT ids',
    ),
    "no such header": (
        TEXTED.replace("EXAMPL", "EXAMPLE12"),
        'campaign "a": sms.sender: is neither a DLT header, which has six letters or digits, nor an ExoPhone',
    ),
    "its country twice": (
        CALLBACK.replace("+918047120001", "+91918047120001"),
        'campaign "a": exophones[0]: does not look like a number of its country',
    ),
    "an agent's country twice": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+919876500001", "+91919876500002"]\n',
        'campaign "a": callback.agents[1]: does not look like a number of its country',
    ),
    "an exophone of no country": (
        CALLBACK.replace("+918047120001", "+80012345678"),
        'campaign "a": exophones[0]: belongs to no country in the numbering plan, so callers from every',
    ),
    "another campaign's number to call from": (
        CALLBACK
        + 'caller_id = "+918047120077"\n'
        + '[[campaign]]\nname = "desk"\nexophones = ["+918047120077"]\n[campaign.lead]\n',
        'campaign "a": callback.caller_id: is an ExoPhone of campaign "desk"; calls to it belong to that ',
    ),
    "unused poll": (CALLBACK + '[[poll]]\nname = "p"\n', 'poll "p": no campaign has votes'),
    "no way in": (
        CAMPAIGN + '[campaign.unsubscribe]\nlist = "x"\n',
        'campaign "a": unsubscribe.list: no campaign',
    ),
    "a callback to nobody": (
        CALLBACK
        + '[campaign.unsubscribe]\nlist = "x"\nsuppress = true\nsuppress_for = "90d"\n'
        + '[[campaign]]\nname = "on"\nexophones = ["+918047120077"]\n'
        + '[campaign.subscribe]\nlist = "x"\npurpose = "y"\n',
        'campaign "a": callback: is never made',
    ),
    "no purpose": (
        CAMPAIGN + '[campaign.subscribe]\nlist = "x"\n',
        'campaign "a": subscribe.purpose: is missing',
    ),
    "too many retries of a kind": (
        CALLBACK + 'retries = {no-answer = ["70m", "1m"], busy = ["5m"], failed = ["30m", "30m"]}\n',
        'campaign "a": callback.retries: more than',
    ),
    "too many retries": (CALLBACK + 'retries = ["5m", "5m"]\n', 'campaign "a": callback.retries: more than'),
    "no dedup window": (
        CALLBACK.replace("[campaign.c", "dedup_window = 0\n[campaign.c"),
        'campaign "a": dedup_window: is 0s, so a caller who calls several times gets several',
    ),
    "a dedup window of seconds": (
        SMS.replace("[campaign.s", "dedup_window = 10\n[campaign.s") + 'dlt_template = "Hi"\n',
        'campaign "a": dedup_window: is 10s, so a caller who calls several times',
    ),
    "a long delay": (
        CALLBACK + 'delay = "10m"\n',
        'campaign "a": callback.delay: is 10m: the longer the delay, the fewer customers answer; 15s',
    ),
    "many callbacks an hour": (
        CALLBACK + "max_per_hour = 60\n",
        'campaign "a": callback.max_per_hour: is 60: so many callbacks annoy people',
    ),
    "a short ring": (
        CALLBACK + 'ring_timeout = "1s"\n',
        'campaign "a": callback.ring_timeout: is 1s: nobody answers so fast',
    ),
    "an evening in the morning": (
        CALLBACK + '[campaign.hours]\nopen = ["mon-fri 09:30-07:00", "sat 10:00-14:00"]\n',
        'campaign "a": hours.open: 09:30-07:00 runs over midnight, 21h30m in all; if that is not intended, '
        "write 09:30-19:00",
    ),
    "hours in the wrong order": (
        CALLBACK + '[campaign.hours]\nopen = "daily 18:00-09:00"\n',
        'campaign "a": hours.open: 18:00-09:00 runs over midnight, 15h in all; if that is not intended, '
        "write 09:00-18:00",
    ),
    "an agent's evening in the morning": (
        CAMPAIGN
        + '[campaign.callback]\nagents = ["+919876500001", {number = "+919876500002", '
        + 'open = "daily 9:00-6:00"}]\n',
        'campaign "a": callback.agents[1].open: 09:00-06:00 runs over midnight, 21h in all',
    ),
    "our path in the public url": (
        CALLBACK.replace("calls.example.in", "example.in/calls/exotel/"),
        "listen.public_url: contains a path that missedd adds itself, so Exotel's reports would go to a path "
        "that does not exist; write https://example.in/calls",
    ),
    "a whole address for the public url": (
        CALLBACK.replace("calls.example.in", "calls.example.in/exotel/secret-token-of-ours/missed-call"),
        "listen.public_url: contains a path that missedd adds itself",
    ),
    "a short template id": (
        TEXTED.replace(TEMPLATE, "123456"),
        'campaign "a": sms.dlt_template_id: has 6 digits instead of 19, so it is not a registered',
    ),
    "a long template id after hours": (
        TEXTED.replace(OTHER_TEMPLATE, OTHER_TEMPLATE + "1"),
        'campaign "a": after_hours.sms.dlt_template_id: has 20 digits instead of 19',
    ),
    "a short entity id": (TEXTED.replace(ENTITY, "11"), 'campaign "a": sms.dlt_entity_id: has 2 digits'),
    "erased within the year": (
        CALLBACK + '[retention]\nerase_after = "30d"\n',
        "retention.erase_after: is less",
    ),
    "noisy": (
        CALLBACK + '[quiet_hours]\npromotional = "09:00-21:00"\n',
        "quiet_hours.promotional: includes hours",
    ),
}


def test_numbers_are_kept_unless_told_otherwise(tmp_path: Path) -> None:
    assert read(CALLBACK, tmp_path).erase_after is None
    assert read(CALLBACK + "[retention]\n", tmp_path).erase_after is None
    kept = read(CALLBACK + '[retention]\nerase_after = "400d"\n', tmp_path)
    assert (kept.erase_after, kept.warnings) == (timedelta(days=400), ())


@pytest.mark.parametrize("oddity", WARNED)
def test_oddities_are_warned_of(oddity: str, tmp_path: Path) -> None:
    text, warning = WARNED[oddity]
    warnings = read(text, tmp_path).warnings
    assert len(warnings) == 1, warnings
    assert warnings[0].startswith(warning)


def test_what_is_fine_is_not_warned_of(tmp_path: Path) -> None:
    joined = CAMPAIGN + '[campaign.subscribe]\nlist = "weather"\npurpose = "weather"\n'
    assert read(joined, tmp_path).warnings == ()
    assert read(CALLBACK + 'delay = "60s"\nring_timeout = "15s"\nmax_per_hour = 2\n', tmp_path).warnings == ()
    counted = CAMPAIGN + "dedup_window = 0\n[campaign.lead]\n"
    assert read(counted, tmp_path).warnings == (), "nobody is called or texted"
    for hours in ("daily 20:00-02:00", "fri,sat 14:00-02:00", "daily 00:00-24:00", "daily 09:00-24:00"):
        assert read(CALLBACK + f'[campaign.hours]\nopen = "{hours}"\n', tmp_path).warnings == ()
    night = CAMPAIGN + f"[campaign.callback]\nagents = [{NIGHT}]\n"
    assert read(night, tmp_path).warnings == ()
    assert read(night + OFFICE + '[campaign.after_hours]\ncallback = "same"\n', tmp_path).warnings == ()
    sunday = OFFICE.replace("mon-fri 09:30-18:30", "sun 20:00-21:00")
    assert read(night + sunday, tmp_path).warnings == ()
    assert read(CALLBACK + 'retries = ["5m", "1h"]\n', tmp_path).warnings == ()
    kinds = 'retries = {no-answer = ["5m", "1h"], busy = ["40m"], failed = ["70m", "70m"]}\n'
    assert read(CALLBACK + kinds, tmp_path).warnings == ()
    for sender in ("EXAMPL", "600123", "08047120001", "+918047120001", "/EXAMPL"):
        assert read(TEXTED.replace("EXAMPL", sender), tmp_path).warnings == ()
    abroad = (
        '[[campaign]]\nname = "b"\nexophones = ["+442079460000"]\n[campaign.sms]\nsender = "Example Ltd"\n'
    )
    assert read(CALLBACK + abroad + 'body = "Hi"\n', tmp_path).warnings == ()
    simulated = CALLBACK.replace("https://calls.example.in", "http://127.0.0.1:8080")
    local = simulated.replace(
        'account_sid = "example1"', 'account_sid = "e"\napi_base = "http://127.0.0.1:9"'
    )
    assert read(local, tmp_path).warnings == ()


def test_on_a_network_it_is_said_by_which_names_the_console_answers(tmp_path: Path) -> None:
    lan = '[listen]\nprivate = "192.168.1.7:8081"\n'
    *_, warning = read(lan + CALLBACK[9:], tmp_path).warnings
    assert warning.startswith(
        "listen.private_hosts: not set: a browser can use only an address of this machine"
    )
    named = read(lan + 'private_hosts = ["missedd.example.in"]\n' + CALLBACK[9:], tmp_path).warnings
    assert not any("private_hosts" in each for each in named)
