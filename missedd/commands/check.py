"""`missedd check`: every problem of a configuration at once, and what its texts cost."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

from missedd.commands.common import OK, add_config, with_config
from missedd.config import Loaded
from missedd.config_sms import texts_of
from missedd.core.policy import Policy
from missedd.core.texts import Name, Size, measure

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "check",
        help="say every problem of a configuration, each with its key",
        description="Reads the configuration and the secrets exactly as `missedd serve` does, and says "
        "everything that is wrong: a text that differs from its registered template as well. Of each "
        "text it says how it is encoded and how many SMS it makes. Exit code 0 if it would start, 78 "
        "if not.",
    )
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return with_config(partial(_say, str(args.config)), args.config)


def _say(path: str, loaded: Loaded) -> int:
    settings = loaded.settings
    for warning in settings.warnings:
        print(f"warning: {warning}")
    for line in _texts(settings.policy):
        print(line)
    names = ", ".join(each.name for each in settings.policy.campaigns) or "none"
    print(f"{path} is well: campaigns {names}; the database is {settings.store_path}")
    return OK


def _texts(policy: Policy) -> Iterator[str]:
    """Of each text, what it comes to at most."""
    for i, campaign in enumerate(policy.campaigns):
        vote = campaign.vote
        option, options = (vote.option, policy.options(vote.poll)) if vote else (None, ())
        for key, sms in texts_of(campaign):
            compared = "not compared with a template" if sms.dlt_template is None else "as registered"
            size = measure(sms.body, option, options)
            yield f"campaign[{i}].{key}.body: {_size(size)}; {compared}"


def _size(size: Size) -> str:
    most = "" if size.is_fixed else "at most "
    why = ""
    if size.forced_by is not None:
        what = size.forced_by.what
        said = f"{{{what}}}" if isinstance(what, Name) else repr(what)
        why = f" because of {said} at character {size.forced_by.at}"
    alphabet = "GSM-7" if size.forced_by is None else "UCS-2"
    return f"{size.encoding} ({alphabet}){why}, {most}{size.characters} characters and {size.units} SMS"
