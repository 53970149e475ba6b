"""The operator's settings: one TOML file that is read, checked and frozen before anything starts.

`load_settings` returns `Settings` or raises `InvalidConfig` with every problem and its key, so that the
operator can correct all of them at once. Values that are valid but unusual are in `Settings.warnings`.
Secrets are not in the file. `load_config` reads them too, and every command uses it, so that a configuration
which passes `missedd check` also starts.
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
from missedd.config.exotel import ExotelSettings, is_public_url_unreachable, read_exotel
from missedd.config.hours import read_quiet_hours
from missedd.config.key_locations import ALL_TABLES, key_locations
from missedd.config.listen import ListenAddress, ListenSettings, UnixSocket, read_listen
from missedd.config.node import config_fingerprint, read_node_name
from missedd.config.retention import read_erase_after
from missedd.config.secrets import CONSOLE_PASSWORD_HASH, Secrets, load_secrets
from missedd.config.store_location import PostgresqlLocation, StoreLocation, read_store
from missedd.config.table import ConfigTable
from missedd.config.toml_file import read_toml
from missedd.config.values import ConfigProblem, closest_match, toml_repr
from missedd.config.warnings import config_warnings
from missedd.core.admission.opening_burst import conflicting_agent_limits
from missedd.core.business_hours import DailyWindow
from missedd.core.phone import normalise
from missedd.core.policy import Campaign, Policy, PollPolicy

__all__ = [
    "UNPROTECTED_ADVICE",
    "ConfigProblem",
    "ExotelSettings",
    "InvalidConfig",
    "ListenAddress",
    "ListenSettings",
    "LoadedConfig",
    "PostgresqlLocation",
    "Settings",
    "StoreLocation",
    "UnixSocket",
    "load_config",
    "load_settings",
    "load_settings_table",
]

DEFAULT_TIMEZONE = "Asia/Kolkata"
UNPROTECTED_ADVICE = (
    "is open to everybody, and there is no password: bind it to 127.0.0.1 or to your own network, or set "
    f"{CONSOLE_PASSWORD_HASH} (`missedd password` creates it)"
)
LAWFUL_PROMOTIONAL_HOURS = DailyWindow(time(10), time(21))
"""When promotional messages may be sent in India (TRAI), local time."""


@dataclass(frozen=True, slots=True)
class Settings:
    policy: Policy
    store: StoreLocation
    listen: ListenSettings
    exotel: ExotelSettings
    timezone: str
    warnings: tuple[str, ...]
    """Each starts with its key."""
    node_name: str
    """What this daemon is called among those that share its database."""
    erase_after: timedelta | None = None
    """A number is erased this long after its last activity; None: never."""

    @property
    def fingerprint(self) -> str:
        """What all nodes must agree on. A node's name, database and listeners are its own."""
        return config_fingerprint(
            self.policy,
            self.exotel,
            self.timezone,
            self.erase_after,
            self.listen.public_url if self.listen.has_public_url else None,
        )


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    settings: Settings
    secrets: Secrets
    path: Path
    """The file from which the settings were read."""

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """Every text that must not appear in a log line."""
        store = self.settings.store
        password = store.password if isinstance(store, PostgresqlLocation) else None
        return (*self.secrets.all_spellings, *([password] if password else ()))


class InvalidConfig(Exception):
    """All problems of the configuration; the text has one line for each."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read the settings from the file at `path`. Raises `InvalidConfig` with every problem."""
    problems: list[ConfigProblem] = []
    settings = _read(path, environ, problems)
    if problems or settings is None:
        raise InvalidConfig(problems)
    return settings


def load_config(path: Path, environ: Mapping[str, str]) -> LoadedConfig:
    """Read the settings and the secrets. Raises `InvalidConfig` with every problem of both."""
    problems: list[ConfigProblem] = []
    settings = _read(path, environ, problems)
    has_webhooks = settings is not None and any(each.webhook for each in settings.policy.campaigns)
    loaded = load_secrets(environ, needs_webhook_secret=has_webhooks)
    problems.extend(loaded.problems)
    if settings is not None and settings.listen.private.is_public and not loaded.has_password:
        problems.append(ConfigProblem("listen.private", UNPROTECTED_ADVICE, source=str(path)))
    if problems or settings is None or loaded.secrets is None:
        raise InvalidConfig(problems)
    return LoadedConfig(replace(settings, warnings=settings.warnings + loaded.warnings), loaded.secrets, path)


def _read(path: Path, environ: Mapping[str, str], problems: list[ConfigProblem]) -> Settings | None:
    """The settings, with placeholders for wrong values; None if the file is not TOML."""
    raw = read_toml(path, problems)
    return None if raw is None else _settings(ConfigTable(raw, "", str(path), problems), path, environ)


def load_settings_table(raw: Mapping[str, object], key: str, path: Path) -> Settings:
    """The settings from a table in another file, such as `daemon` in a scenario.

    `key` is the key of that table; problems name the key and `path`. Raises `InvalidConfig` with every
    problem.
    """
    problems: list[ConfigProblem] = []
    settings = _settings(ConfigTable(raw, key, str(path), problems), path, {})
    if problems:
        raise InvalidConfig(problems)
    return settings


def _settings(root: ConfigTable, path: Path, environ: Mapping[str, str]) -> Settings:
    warnings: list[str] = []
    timezone = _timezone(root)
    store = read_store(root.table_or_empty("store"), path, environ)
    node_name = read_node_name(root.table_or_empty("node"))
    listen = read_listen(root.table_or_empty("listen"), warnings)
    exotel = read_exotel(root.table_or_empty("exotel"))
    if is_public_url_unreachable(listen, exotel):
        warnings.append(
            "listen.public_url: Exotel cannot reach this address, so it cannot send status reports"
        )
    polls = _polls(root, timezone)
    campaigns = _campaigns(root, timezone, polls)
    quiet = read_quiet_hours(root.table("quiet_hours"), LAWFUL_PROMOTIONAL_HOURS)
    erase_after = read_erase_after(root.table("retention"), warnings)
    root.report_unknown_keys(lambda key: key_locations(key, _known_keys(), root.header))
    if (
        quiet.end <= quiet.start
        or quiet.start < LAWFUL_PROMOTIONAL_HOURS.start
        or quiet.end > LAWFUL_PROMOTIONAL_HOURS.end
    ):
        warnings.append(
            "quiet_hours.promotional: includes hours outside 10:00-21:00, which India's rules do not allow"
        )
    warnings.extend(config_warnings(campaigns, polls))
    if exotel.channels == 1 and any(each.callback and each.callback.agents for each in campaigns):
        root.problem(
            "exotel.channels", "must be at least 2, because a callback with an agent uses two channels"
        )
    policy = Policy(campaigns, quiet, timezone, polls, exotel.channels)
    warnings.extend(conflicting_agent_limits(policy))
    return Settings(policy, store, listen, exotel, timezone, tuple(warnings), node_name, erase_after)


@cache
def _known_keys() -> Mapping[str, set[str]]:
    """Every key of every table, collected by reading a file that has all tables."""
    root = ConfigTable(ALL_TABLES, "", "", [])
    _settings(root, Path("/"), {})
    return root.known_keys()


def _timezone(root: ConfigTable) -> str:
    name = root.text("timezone")
    if name is None:
        return DEFAULT_TIMEZONE
    try:
        ZoneInfo(name)
        return name
    except (KeyError, OSError, ValueError):  # unknown zone; folder of zones; path
        pass
    suggestion = (
        "Asia/Kolkata" if name.upper() == "IST" else closest_match(name, sorted(available_timezones()))
    )
    root.problem("timezone", f"is not a time zone: {toml_repr(name)}", suggestion)
    return DEFAULT_TIMEZONE


def _polls(root: ConfigTable, timezone: str) -> tuple[PollPolicy, ...]:
    polls: list[PollPolicy] = []
    for table in root.tables("poll"):
        poll = read_poll(table, timezone)
        if poll.name and any(each.name == poll.name for each in polls):
            table.problem("name", f"is also the name of another poll: {toml_repr(poll.name)}")
        polls.append(poll)
    return tuple(polls)


def _campaigns(root: ConfigTable, timezone: str, polls: tuple[PollPolicy, ...]) -> tuple[Campaign, ...]:
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
            table.problem("name", f"is also the name of {name_at[campaign.name]}: {toml_repr(campaign.name)}")
        elif campaign.name:
            name_at[campaign.name] = table.key
        for place, number in exophones.items():
            if number in exophone_at:
                table.problem(f"exophones[{place}]", f"already belongs to {exophone_at[number]}")
            else:
                exophone_at[number] = table.key
        if campaign.vote and campaign.vote.poll and campaign.vote.poll not in poll_names:
            reason = f"there is no [[poll]] named {toml_repr(campaign.vote.poll)}"
            table.problem("vote.poll", reason, closest_match(campaign.vote.poll, poll_names))
        campaigns.append(campaign)
    return tuple(campaigns)


def _named_caller_id(campaign: ConfigTable) -> str | None:
    """The number from which a campaign calls; it is needed before the campaign itself is read."""
    callback = campaign.value("callback")
    named = callback.get("caller_id") if isinstance(callback, dict) else None
    return normalise(named) if isinstance(named, str) else None
