"""`missedd check`: every problem of a configuration at once, and what it asks for, in words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial

import trio

from missedd.base.clock import SystemClock
from missedd.commands.shared.options import FAILED, OK, add_config, with_config
from missedd.config.campaign_summary import campaigns_in_words
from missedd.config.loader import Loaded, Settings
from missedd.config.sms import texts_of
from missedd.core.admission.opening_burst import at_opening
from missedd.core.contact_countries import LOOK_BACK, LeftOut, in_words, line_that_keeps
from missedd.core.policy import Policy
from missedd.core.sms.template import Name, Size, measure
from missedd.daemon.listen_checks import address_problems
from missedd.store.backup.upgrade_copy import KEPT_FOR, check_copy, version_ahead
from missedd.store.db.aiosqlite_driver import aio_driver
from missedd.store.db.database import StoreRefused
from missedd.store.db.lock import holder
from missedd.store.db.migrate import LATEST, known_version
from missedd.store.db.read_access import is_there
from missedd.store.people.excluded_callers import callers_left_out
from missedd.store.store import Driver, look_over, open_reader

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "check",
        help="say every problem of a configuration, each with its key, and what it asks for",
        description="Reads the configuration and the secrets exactly as `missedd serve` does, looks at the "
        "database and the addresses, and says everything that would keep it from starting. It warns of what "
        "is possible and hardly meant. Of each campaign it says in words when it is open, what it does and "
        "what it does not; of each text how it is encoded and how many SMS it makes; how many callbacks go "
        "out in the first minute after an opening; and which of the last 30 days' callers are of a country "
        "that is not contacted. Exit code 0 if it would start, 78 where the file is at fault, 1 where the "
        "machine is; that a daemon has the database, or a port, is no fault.",
    )
    add_config(parser)
    parser.add_argument("--quiet", action="store_true", help="only what is wrong or odd")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return with_config(partial(_say, str(args.config), bool(args.quiet)), args.config)


def _say(path: str, is_quiet: bool, loaded: Loaded) -> int:
    settings = loaded.settings
    problems, left_out = trio.run(_look, loaded)
    for warning in (*settings.warnings, *_left_out(settings.policy, left_out)):
        print(f"warning: {warning}")
    if not is_quiet:
        for line in (
            *campaigns_in_words(settings.policy),
            *_texts(settings.policy),
            *at_opening(settings.policy, settings.exotel.calls_per_minute),
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
        if (version := version_ahead(settings.store_path)) is not None:
            print(
                f"the next start brings the database from schema version {version} to {LATEST}, and keeps a "
                f"copy of it as {check_copy(settings.store_path, version).name} for {KEPT_FOR.days} days"
            )
        owner = holder(settings.store_path)
        used = f", in use by {owner}" if owner else ""
        print(f"{path} is well: campaigns {names}; the database is {settings.store_path}{used}")
    return OK


async def _look(loaded: Loaded) -> tuple[list[str], list[LeftOut]]:
    """What keeps the daemon from starting on this machine, and whom of its callers it would not contact."""
    settings = loaded.settings
    has_password = loaded.secrets.console_password is not None
    problems = list(address_problems(settings.listen, has_password=has_password))
    async with aio_driver() as driver:
        try:
            await look_over(driver, settings.store_path)
            left_out = await _read_left_out(driver, settings)
        except StoreRefused as refusal:
            return [str(refusal), *problems], []
    return problems, left_out


def _left_out(policy: Policy, found: list[LeftOut]) -> Iterator[str]:
    """Of each campaign, the callers in the database whom it would not contact, and what keeps them."""
    for campaign in policy.campaigns:
        missing = [each for each in found if each.campaign == campaign.name]
        if missing:
            yield (
                f"{campaign.key}: contact: of the last {LOOK_BACK.days} days' callers it will neither call "
                f"nor text {in_words(missing)}; "
                f"{line_that_keeps(campaign.countries, campaign.exophones, missing)} would keep them"
            )


async def _read_left_out(driver: Driver, settings: Settings) -> list[LeftOut]:
    """A database that awaits its upgrade is read too: that is when it matters most."""
    if not is_there(settings.store_path):
        return []
    query = partial(callers_left_out, policy=settings.policy, now=SystemClock().now())
    async with open_reader(driver, settings.store_path, known_version) as reader:
        return await reader.read(query)


def _texts(policy: Policy) -> Iterator[str]:
    """Of each text, what it comes to at most."""
    for campaign in policy.campaigns:
        vote = campaign.vote
        option, options = (vote.option, policy.options(vote.poll)) if vote else (None, ())
        for key, sms in texts_of(campaign):
            compared = "not compared with a template" if sms.dlt_template is None else "as registered"
            size = measure(sms.body, option, options)
            yield f"{campaign.key}: {key}.body: {_size(size)}; {compared}"


def _size(size: Size) -> str:
    most = "" if size.is_fixed else "at most "
    why = ""
    if size.forced_by is not None:
        what = size.forced_by.what
        said = f"{{{what}}}" if isinstance(what, Name) else repr(what)
        why = f" because of {said} at character {size.forced_by.at}"
    alphabet = "GSM-7" if size.forced_by is None else "UCS-2"
    return f"{size.encoding} ({alphabet}){why}, {most}{size.characters} characters and {size.units} SMS"
