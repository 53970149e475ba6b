"""Mistakes in a campaign and its callbacks, and the problem that each one is."""

from __future__ import annotations

from tests.config.samples import CALLBACK, CAMPAIGN, SITE

OTHER = '[[campaign]]\nname = "b"\nexophones = ["+918047120002"]\n'

# Mistakes: the file, the key, a part of the reason, the suggestion.
CAMPAIGN_MISTAKES: dict[str, tuple[str, str, str, str | None]] = {
    "no name": (
        SITE + '[[campaign]]\nexophones = ["+918047120001"]\n',
        "campaign 1 (+918047120001): name",
        "is required",
        None,
    ),
    "empty name": (
        CAMPAIGN.replace('"a"', '" "'),
        "campaign 1 (+918047120001): name",
        "must not be empty",
        None,
    ),
    "name of two lines": (
        CAMPAIGN.replace('"a"', '"a\\nb"'),
        "campaign 1 (+918047120001): name",
        "one line",
        None,
    ),
    "no exophones": (SITE + '[[campaign]]\nname = "a"\n', 'campaign "a": exophones', "is required", None),
    "empty exophones": (
        SITE + '[[campaign]]\nname = "a"\nexophones = []\n',
        'campaign "a": exophones',
        "must not be empty",
        None,
    ),
    "exophone not in an array": (
        SITE + '[[campaign]]\nname = "a"\nexophones = "+918047120001"\n',
        'campaign "a": exophones',
        "must be an array such as ['+918047120001']",
        None,
    ),
    "exophone too short": (
        CAMPAIGN.replace("+918047120001", "1234"),
        'campaign "a": exophones[0]',
        "is not a usable",
        None,
    ),
    "exophone as a number": (
        CAMPAIGN.replace('"+918047120001"', "918047120001"),
        'campaign "a": exophones[0]',
        "in quotes",
        None,
    ),
    "exophone twice": (
        CAMPAIGN.replace('"]', '", "08047120001"]'),
        'campaign "a": exophones[1]',
        "already in the list",
        None,
    ),
    "exophone of another": (
        CAMPAIGN + OTHER.replace("+918047120002", "080-4712-0001"),
        'campaign "b": exophones[0]',
        'campaign "a"',
        None,
    ),
    "name of another": (
        CAMPAIGN + OTHER.replace('"b"', '"a"'),
        "campaign 2 (+918047120002): name",
        'campaign "a"',
        None,
    ),
    "bad window": (CAMPAIGN + 'dedup_window = "5 minutes"\n', 'campaign "a": dedup_window', "duration", None),
    "negative window": (CAMPAIGN + "dedup_window = -1\n", 'campaign "a": dedup_window', "zero or more", None),
    "true window": (CAMPAIGN + "dedup_window = true\n", 'campaign "a": dedup_window', "not true", None),
    "endless window": (CAMPAIGN + "dedup_window = inf\n", 'campaign "a": dedup_window', "at most 366d", None),
    "overflowing window": (
        CAMPAIGN + 'dedup_window = "99999999999999d"\n',
        'campaign "a": dedup_window',
        "at most 366d",
        None,
    ),
    "neither": (
        CAMPAIGN + "[campaign.callback]\n",
        'campaign "a": callback.flow',
        "is required, or agents",
        None,
    ),
    "both": (CALLBACK + 'agents = ["+919876500001"]\n', 'campaign "a": callback.flow', "with agents", None),
    "an exophone as an agent": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+919876500001", "080-4712 0001"]\n',
        'campaign "a": callback.agents[1]',
        "is an ExoPhone of this configuration, so nobody answers",
        None,
    ),
    "a later campaign's exophone as an agent": (
        CAMPAIGN
        + '[campaign.callback]\nagents = [{number = "+918047120077"}]\n'
        + '[[campaign]]\nname = "b"\nexophones = ["+918047120077"]\n[campaign.lead]\n',
        'campaign "a": callback.agents[0].number',
        "is an ExoPhone of this configuration",
        None,
    ),
    "a caller id as an agent": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+918047120099"]\ncaller_id = "080 4712 0099"\n',
        'campaign "a": callback.agents[0]',
        "is an ExoPhone of this configuration",
        None,
    ),
    "no caller id": (
        CALLBACK + 'caller_id = "the shop"\n',
        'campaign "a": callback.caller_id',
        "must be an ExoPhone of the account, in quotes, not 'the shop'",
        None,
    ),
    "no agents": (
        CAMPAIGN + "[campaign.callback]\nagents = []\n",
        'campaign "a": callback.agents',
        "empty",
        None,
    ),
    "wrong agent": (
        CAMPAIGN + '[campaign.callback]\nagents = ["ring me"]\n',
        'campaign "a": callback.agents[0]',
        "not a usable phone number",
        None,
    ),
    "an agent that is no number": (
        CAMPAIGN + "[campaign.callback]\nagents = [5]\n",
        'campaign "a": callback.agents[0]',
        "a number in quotes, or a table with one, not 5",
        None,
    ),
    "an agent without a number": (
        CAMPAIGN + '[campaign.callback]\nagents = [{open = "mon 09:00-12:00"}]\n',
        'campaign "a": callback.agents[0].number',
        "is required",
        None,
    ),
    "an agent twice": (
        CAMPAIGN + '[campaign.callback]\nagents = ["+919876500001", {number = "098765 00001"}]\n',
        'campaign "a": callback.agents[1].number',
        "is already in the list",
        None,
    ),
    "an agent's wrong hours": (
        CAMPAIGN
        + '[campaign.callback]\nagents = ["+919876500001", {number = "098765 00002", open = ["mon 9-12"]}]\n',
        'campaign "a": callback.agents[1].open[0]',
        "has no hours such as 09:30-18:30",
        None,
    ),
    "an agent never on duty": (
        CAMPAIGN + '[campaign.callback]\nagents = [{number = "+919876500002", open = []}]\n',
        'campaign "a": callback.agents[0].open',
        "leave it out to be always on duty",
        None,
    ),
    "an agent's unknown key": (
        CAMPAIGN + '[campaign.callback]\nagents = [{number = "+919876500002", opn = ["mon 09:00-12:00"]}]\n',
        'campaign "a": callback.agents[0].opn',
        "unknown key",
        "open",
    ),
    "first of a flow": (CALLBACK + 'first = "agent"\n', 'campaign "a": callback.first', "needs agents", None),
    "first unknown": (CALLBACK + 'first = "custmer"\n', 'campaign "a": callback.first', "one of", "customer"),
    "too late": (
        CALLBACK + 'delay = "5m"\ngive_up_after = "4m"\n',
        'campaign "a": callback.give_up_after',
        "4m is shorter than delay, 5m",
        None,
    ),
    "too late by default": (
        CALLBACK + 'delay = "20m"\n',
        'campaign "a": callback.give_up_after',
        "default of 15m is shorter than delay, 20m",
        None,
    ),
    "negative delay": (CALLBACK + "delay = -1\n", 'campaign "a": callback.delay', "zero or more", None),
    "no give_up": (
        CALLBACK + "give_up_after = 0\n",
        'campaign "a": callback.give_up_after',
        "more than zero",
        None,
    ),
    "rings too long": (
        CALLBACK + "ring_timeout = 61\n",
        'campaign "a": callback.ring_timeout',
        "at most 1m",
        None,
    ),
    "rings a half": (CALLBACK + "ring_timeout = 1.5\n", 'campaign "a": callback.ring_timeout', "whole", None),
    "talks too long": (
        CALLBACK + 'time_limit = "5h"\n',
        'campaign "a": callback.time_limit',
        "at most 4h",
        None,
    ),
    "no callbacks": (
        CALLBACK + "max_per_hour = 0\n",
        'campaign "a": callback.max_per_hour',
        "at least 1",
        None,
    ),
    "retry at once": (
        CALLBACK + 'retries = ["5m", 0]\n',
        'campaign "a": callback.retries[1]',
        "more than zero",
        None,
    ),
    "retry of a kind at once": (
        CALLBACK + 'retries = {no-answer = ["5m"], busy = ["1m", "0s"]}\n',
        'campaign "a": callback.retries.busy[1]',
        "more than zero",
        None,
    ),
    "retries of a kind not in an array": (
        CALLBACK + 'retries = {failed = "5m"}\n',
        'campaign "a": callback.retries.failed',
        "must be an array such as ['5m']",
        None,
    ),
    "retries of no known outcome": (
        CALLBACK + 'retries = {no_answer = ["5m"]}\n',
        'campaign "a": callback.retries.no_answer',
        "unknown key",
        "no-answer",
    ),
    "retries not in an array": (
        CALLBACK + 'retries = "5m"\n',
        'campaign "a": callback.retries',
        "array",
        None,
    ),
}
