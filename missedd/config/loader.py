"""The operator's settings: one TOML file, read, checked and frozen before anything starts.

`load` gives `Settings` or raises `ConfigProblems` with everything that is wrong, each with its key, so
that one reading of the errors is enough. What is odd but possible is in `Settings.warnings`. Secrets
are not in the file; `load_all` reads them as well and is what every command uses, so that a
configuration that passes a check also starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from missedd.config.campaign import read_campaign, read_poll
from missedd.config.contact import read_contact
from missedd.config.hours import read_quiet_hours
from missedd.config.key_locations import EVERY_TABLE, homes
from missedd.config.network import (
    Endpoint,
    ExotelSettings,
    Listen,
    UnixSocket,
    is_cut_off,
    read_exotel,
    read_listen,
)
from missedd.config.retention import read_erase_after
from missedd.config.secrets import CONSOLE_PASSWORD_HASH, Secrets, load_secrets
from missedd.config.table import Table
from missedd.config.toml_file import read_toml
from missedd.config.values import Problem, nearest, shown
from missedd.config.warnings import warnings_of
from missedd.core.admission.opening_burst import differing_agents
from missedd.core.business_hours import DailyWindow
from missedd.core.phone import normalise
from missedd.core.policy import Campaign, Policy, PollPolicy

__all__ = [
    "OPEN_TO_ALL",
    "ConfigProblems",
    "Endpoint",
    "ExotelSettings",
    "Listen",
    "Loaded",
    "Problem",
    "Settings",
    "UnixSocket",
    "load",
    "load_all",
    "load_table",
]

TIMEZONE = "Asia/Kolkata"
OPEN_TO_ALL = (
    "is where anybody may come, and nobody would be asked for a password: bind it to 127.0.0.1 or to your "
    f"own network, or set {CONSOLE_PASSWORD_HASH} (`missedd password` makes it)"
)
PROMOTIONAL = DailyWindow(time(10), time(21))
"""When promotional messages may go in India (TRAI)."""


@dataclass(frozen=True, slots=True)
class Settings:
    policy: Policy
    store_path: Path
    listen: Listen
    exotel: ExotelSettings
    timezone: str
    warnings: tuple[str, ...]
    """Each starts with its key."""
    erase_after: timedelta | None = None
    """How long after the last that was heard of it a number is erased; never where it is None."""


@dataclass(frozen=True, slots=True)
class Loaded:
    settings: Settings
    secrets: Secrets
    path: Path
    """The file that the settings are from."""


class ConfigProblems(Exception):
    """Everything that is wrong with the configuration; its text has one line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in the file at `path`. Raises ConfigProblems with all that is wrong."""
    problems: list[Problem] = []
    settings = _read(path, environ, problems)
    if problems or settings is None:
        raise ConfigProblems(problems)
    return settings


def load_all(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Settings and secrets. Raises ConfigProblems with all that is wrong in either."""
    problems: list[Problem] = []
    settings = _read(path, environ, problems)
    signs = settings is not None and any(each.webhook for each in settings.policy.campaigns)
    found = load_secrets(environ, needs_webhook_secret=signs)
    problems.extend(found.problems)
    if settings is not None and settings.listen.private.is_public and not found.has_password:
        problems.append(Problem("listen.private", OPEN_TO_ALL, source=str(path)))
    if problems or settings is None or found.secrets is None:
        raise ConfigProblems(problems)
    return Loaded(replace(settings, warnings=settings.warnings + found.warnings), found.secrets, path)


def _read(path: Path, environ: Mapping[str, str], problems: list[Problem]) -> Settings | None:
    """What the file says, with stand-ins where it is wrong; None if it is no TOML at all."""
    raw = read_toml(path, problems)
    return None if raw is None else _settings(Table(raw, "", str(path), problems), path, environ)


def load_table(raw: Mapping[str, object], key: str, path: Path) -> Settings:
    """The settings in a table that is part of another file, such as a scenario's `daemon`.

    `key` is the table's own; problems name it and `path`. Raises ConfigProblems like `load`.
    """
    problems: list[Problem] = []
    settings = _settings(Table(raw, key, str(path), problems), path, {})
    if problems:
        raise ConfigProblems(problems)
    return settings


def _settings(root: Table, path: Path, environ: Mapping[str, str]) -> Settings:
    warnings: list[str] = []
    timezone = _timezone(root)
    store_path = _store_path(root.table("store"), path, environ)
    listen = read_listen(root.table_or_empty("listen"), warnings)
    exotel = read_exotel(root.table_or_empty("exotel"))
    if is_cut_off(listen, exotel):
        warnings.append(
            "listen.public_url: Exotel cannot reach this address, so status reports will not come"
        )
    polls = _polls(root, timezone)
    campaigns = _campaigns(root, timezone, polls)
    quiet = read_quiet_hours(root.table("quiet_hours"), PROMOTIONAL)
    erase_after = read_erase_after(root.table("retention"), warnings)
    root.finish(lambda key: homes(key, _known(), root.header))
    if quiet.end <= quiet.start or quiet.start < PROMOTIONAL.start or quiet.end > PROMOTIONAL.end:
        warnings.append(
            "quiet_hours.promotional: goes beyond 10:00-21:00, the hours that India's rules allow"
        )
    warnings.extend(warnings_of(campaigns, polls))
    if exotel.channels == 1 and any(each.callback and each.callback.agents for each in campaigns):
        root.problem("exotel.channels", "must be at least 2, as a callback with an agent takes two")
    policy = Policy(campaigns, quiet, timezone, polls, exotel.channels)
    warnings.extend(differing_agents(policy))
    return Settings(policy, store_path, listen, exotel, timezone, tuple(warnings), erase_after)


@cache
def _known() -> Mapping[str, set[str]]:
    """Every key of every table, as reading a file asks for them."""
    root = Table(EVERY_TABLE, "", "", [])
    _settings(root, Path("/"), {})
    return root.known()


def _timezone(root: Table) -> str:
    name = root.text("timezone")
    if name is None:
        return TIMEZONE
    try:
        ZoneInfo(name)
        return name
    except (KeyError, OSError, ValueError):  # no such zone; a folder of zones; a path
        pass
    suggestion = "Asia/Kolkata" if name.upper() == "IST" else nearest(name, sorted(available_timezones()))
    root.problem("timezone", f"is no time zone: {shown(name)}", suggestion)
    return TIMEZONE


def _store_path(table: Table | None, file: Path, environ: Mapping[str, str]) -> Path:
    name = (table.text("path", longest=4_000) if table else None) or "missedd.db"
    if table and (name.startswith((":", "file:")) or name.endswith("/")):
        table.problem(
            "path", f"must be a file's name, not {shown(name)}: what is acknowledged has to survive"
        )
    # systemd gives several directories separated by colons; the unit asks for one.
    state_directory = environ.get("STATE_DIRECTORY", "").split(":")[0]
    return (Path(state_directory) if state_directory else file.absolute().parent) / name


def _polls(root: Table, timezone: str) -> tuple[PollPolicy, ...]:
    polls: list[PollPolicy] = []
    for table in root.tables("poll"):
        poll = read_poll(table, timezone)
        if poll.name and any(each.name == poll.name for each in polls):
            table.problem("name", f"is another poll's name too: {shown(poll.name)}")
        polls.append(poll)
    return tuple(polls)


def _campaigns(root: Table, timezone: str, polls: tuple[PollPolicy, ...]) -> tuple[Campaign, ...]:
    """The campaigns, checked against each other and against the polls."""
    campaigns: list[Campaign] = []
    name_at: dict[str, str] = {}
    exophone_at: dict[str, str] = {}
    poll_names = [each.name for each in polls]
    countries = read_contact(root.table("contact"))
    tables = [(each, each.numbers("exophones", required=True)) for each in root.tables("campaign")]
    of_all = {number for _, exophones in tables for number in exophones.values()}
    of_all |= {number for each, _ in tables if (number := _named_caller_id(each)) is not None}
    for table, exophones in tables:
        campaign = read_campaign(table, tuple(exophones.values()), timezone, countries, of_all)
        if campaign.name in name_at:
            table.problem("name", f"is also the name of {name_at[campaign.name]}: {shown(campaign.name)}")
        elif campaign.name:
            name_at[campaign.name] = table.key
        for place, number in exophones.items():
            if number in exophone_at:
                table.problem(f"exophones[{place}]", f"belongs to {exophone_at[number]} already")
            else:
                exophone_at[number] = table.key
        if campaign.vote and campaign.vote.poll and campaign.vote.poll not in poll_names:
            reason = f"there is no [[poll]] named {shown(campaign.vote.poll)}"
            table.problem("vote.poll", reason, nearest(campaign.vote.poll, poll_names))
        campaigns.append(campaign)
    return tuple(campaigns)


def _named_caller_id(campaign: Table) -> str | None:
    """The number that a campaign calls from, looked up before the campaign itself is read."""
    callback = campaign.value("callback")
    named = callback.get("caller_id") if isinstance(callback, dict) else None
    return normalise(named) if isinstance(named, str) else None
