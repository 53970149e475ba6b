"""`missedd check`: every problem of a configuration at once, and what its texts cost."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import trio

from missedd.clock import SystemClock
from missedd.commands.common import OK, add_config, with_config
from missedd.config import Loaded, Settings
from missedd.config_sms import texts_of
from missedd.core.at_opening import at_opening
from missedd.core.countries import LOOK_BACK, LeftOut, in_words, line_that_keeps
from missedd.core.policy import Policy
from missedd.core.texts import Name, Size, measure
from missedd.store.aio import aio_driver
from missedd.store.database import StoreRefused
from missedd.store.left_out import callers_left_out
from missedd.store.migrate import known_version
from missedd.store.store import open_reader

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "check",
        help="say every problem of a configuration, each with its key",
        description="Reads the configuration and the secrets exactly as `missedd serve` does, and says "
        "everything that is wrong: a text that differs from its registered template as well. Of each "
        "text it says how it is encoded and how many SMS it makes; of each campaign, how many callbacks go "
        "out in the first minute after an opening, and of each agent, how many an hour that is; where there "
        "is a database, which of the last 30 days' callers are of a country that is not contacted. Exit "
        "code 0 if it would start, 78 if not.",
    )
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return with_config(partial(_say, str(args.config)), args.config)


def _say(path: str, loaded: Loaded) -> int:
    settings = loaded.settings
    for warning in (*settings.warnings, *_left_out(settings)):
        print(f"warning: {warning}")
    for line in (
        *_texts(settings.policy),
        *at_opening(settings.policy, settings.exotel.calls_per_minute),
    ):
        print(line)
    names = ", ".join(each.name for each in settings.policy.campaigns) or "none"
    print(f"{path} is well: campaigns {names}; the database is {settings.store_path}")
    return OK


def _left_out(settings: Settings) -> Iterator[str]:
    """Of each campaign, the callers in the database whom it would not contact, and what keeps them."""
    if not settings.store_path.exists():
        return
    try:
        found = trio.run(_read_left_out, settings)
    except StoreRefused as refusal:
        yield str(refusal)
        return
    for campaign in settings.policy.campaigns:
        missing = [each for each in found if each.campaign == campaign.name]
        if missing:
            yield (
                f"{campaign.key}: contact: of the last {LOOK_BACK.days} days' callers it will neither call "
                f"nor text {in_words(missing)}; "
                f"{line_that_keeps(campaign.countries, campaign.exophones, missing)} would keep them"
            )


async def _read_left_out(settings: Settings) -> list[LeftOut]:
    """A database that awaits its upgrade is read too: that is when it matters most."""
    query = partial(callers_left_out, policy=settings.policy, now=SystemClock().now())
    async with aio_driver() as driver, open_reader(driver, settings.store_path, known_version) as reader:
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
