"""`missedd check`: every problem of a configuration at once, and what it asks for, in words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import trio

from missedd.commands.check_store import StoreCheck, check_store
from missedd.commands.shared.options import FAILED, OK, add_config_option, run_with_config
from missedd.config.campaign_summary import describe_campaigns
from missedd.config.loader import LoadedConfig
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
from missedd.store.db.database import StoreRefused

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
    has_password = loaded.secrets.console_password is not None
    problems = list(address_problems(settings.listen, has_password=has_password))
    try:
        store = trio.run(check_store, settings)
    except StoreRefused as refusal:
        store = StoreCheck()
        problems.insert(0, str(refusal))
    for warning in (
        *settings.warnings,
        *store.warnings,
        *_left_out_warnings(settings.policy, store.excluded),
    ):
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
        for line in store.next_start:
            print(line)
        used = f", in use by {store.users}" if store.users else ""
        print(f"{path} is correct: campaigns {names}; the database is {settings.store}{used}")
    return OK


def _left_out_warnings(policy: Policy, found: Sequence[ExcludedCallers]) -> Iterator[str]:
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
