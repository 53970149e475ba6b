"""`missedd check`: every problem of a configuration at once, and what it asks for, in words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import trio

from missedd.base.clock import SystemClock
from missedd.commands.shared.options import FAILED, OK, add_config_option, run_with_config
from missedd.config.campaign_summary import describe_campaigns
from missedd.config.loader import LoadedConfig, Settings, StoreLocation
from missedd.config.sms import configured_sms
from missedd.core.admission.opening_burst import callback_throughput
from missedd.core.contact_countries import (
    EXCLUDED_LOOKBACK,
    ExcludedCallers,
    describe_excluded,
    suggested_config_line,
)
from missedd.core.policy import Policy
from missedd.core.sms.template import BodyField, LargestSms, largest_sms
from missedd.daemon.listen_checks import address_problems
from missedd.store.backup.upgrade_copy import COPY_RETENTION, check_copy_possible, outdated_version
from missedd.store.db.database import StoreRefused
from missedd.store.people.excluded_callers import load_excluded_callers
from missedd.store.sqlite.lock import lock_holder
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.sqlite.read_access import has_database
from missedd.store.store import Driver, check_openable, driver_for, open_reader

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "check",
        help="print every problem of a configuration, and a summary of what the configuration does",
        description="Reads the configuration and the secrets in the same way as `missedd serve`, checks the "
        "database and the addresses, and prints every problem that would stop the daemon from starting. It "
        "warns about settings that are allowed but probably a mistake. For each campaign it prints when the "
        "campaign is open, what it does and what it does not do; how many callbacks it can make in the first "
        "minute after it opens; and which callers of the last 30 days it would not contact because of their "
        "country. For each SMS body it prints the encoding and the number of SMS. Exit code 0 if the daemon "
        "would start, 78 if the configuration is wrong, 1 if something on this machine is wrong. A running "
        "daemon that uses the database or a port is not a problem.",
    )
    add_config_option(parser)
    parser.add_argument("--quiet", action="store_true", help="print problems and warnings only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_config(partial(_print_check, str(args.config), bool(args.quiet)), args.config)


def _print_check(path: str, is_quiet: bool, loaded: LoadedConfig) -> int:
    settings = loaded.settings
    problems, left_out = trio.run(_check_machine, loaded)
    for warning in (*settings.warnings, *_left_out_warnings(settings.policy, left_out)):
        print(f"warning: {warning}")
    if not is_quiet:
        for line in (
            *describe_campaigns(settings.policy),
            *_sms_sizes(settings.policy),
            *callback_throughput(settings.policy, settings.exotel.calls_per_minute),
        ):
            print(line)
    if problems:
        for problem in problems:
            print(problem, file=sys.stderr)
        count = len(problems)
        print(
            f"{count} problem{'s' if count != 1 else ''} with this machine, none with {path}", file=sys.stderr
        )
        return FAILED
    if not is_quiet:
        names = ", ".join(campaign.name for campaign in settings.policy.campaigns) or "none"
        for line in _database_lines(settings.store):
            print(line)
        print(
            f"{path} is correct: campaigns {names}; the database is {settings.store}{_holder(settings.store)}"
        )
    return OK


def _database_lines(location: StoreLocation) -> Iterator[str]:
    """What the next start does to the database."""
    if isinstance(location, Path) and (version := outdated_version(location)) is not None:
        yield (
            f"the next start brings the database from schema version {version} to {LATEST_VERSION}, and "
            f"keeps a copy of it as {check_copy_possible(location, version).name} for "
            f"{COPY_RETENTION.days} days"
        )


def _holder(location: StoreLocation) -> str:
    owner = lock_holder(location) if isinstance(location, Path) else None
    return f", in use by {owner}" if owner else ""


async def _check_machine(loaded: LoadedConfig) -> tuple[list[str], list[ExcludedCallers]]:
    """What keeps the daemon from starting on this machine, and whom of its callers it would not contact."""
    settings = loaded.settings
    has_password = loaded.secrets.console_password is not None
    problems = list(address_problems(settings.listen, has_password=has_password))
    async with driver_for(settings.store) as driver:
        try:
            await check_openable(driver, settings.store, settings.exotel.account_sid)
            left_out = await _read_left_out(driver, settings)
        except StoreRefused as refusal:
            return [str(refusal), *problems], []
    return problems, left_out


def _left_out_warnings(policy: Policy, found: list[ExcludedCallers]) -> Iterator[str]:
    """Of each campaign, the callers in the database whom it would not contact, and what keeps them."""
    for campaign in policy.campaigns:
        missing = [each for each in found if each.campaign == campaign.name]
        if missing:
            yield (
                f"{campaign.label}: contact: of the last {EXCLUDED_LOOKBACK.days} days' callers "
                "it will neither call "
                f"nor text {describe_excluded(missing)}; "
                f"{suggested_config_line(campaign.countries, campaign.exophones, missing)} would keep them"
            )


async def _read_left_out(driver: Driver, settings: Settings) -> list[ExcludedCallers]:
    """A database that awaits its upgrade is read too: that is when it matters most."""
    if isinstance(settings.store, Path) and not has_database(settings.store):
        return []
    query = partial(load_excluded_callers, policy=settings.policy, now=SystemClock().now())
    async with open_reader(driver, settings.store, any_schema=True) as reader:
        return await reader.read(query)


def _sms_sizes(policy: Policy) -> Iterator[str]:
    """Of each text, what it comes to at most."""
    for campaign in policy.campaigns:
        vote = campaign.vote
        option, options = (vote.option, policy.poll_options(vote.poll)) if vote else (None, ())
        for key, sms in configured_sms(campaign):
            compared = "not compared with a template" if sms.dlt_template is None else "as registered"
            size = largest_sms(sms.body, option, options)
            yield f"{campaign.label}: {key}.body: {_size_text(size)}; {compared}"


def _size_text(size: LargestSms) -> str:
    most = "" if size.is_fixed else "at most "
    why = ""
    if size.unicode_because is not None:
        what = size.unicode_because.content
        said = f"{{{what}}}" if isinstance(what, BodyField) else repr(what)
        why = f" because of {said} at character {size.unicode_because.at}"
    alphabet = "GSM-7" if size.unicode_because is None else "UCS-2"
    return f"{size.encoding} ({alphabet}){why}, {most}{size.characters} characters and {size.units} SMS"
