"""`missedd why`: the whole trace of decisions for a call or a caller, in words."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from msgspec import to_builtins
from msgspec.structs import replace

from missedd.base.clock import SystemClock
from missedd.commands.shared.options import FAILED, OK, add_config_option, add_format_option, run_query
from missedd.config.loader import Settings
from missedd.core.api_types.calls import StoryJson
from missedd.core.api_types.consents import SubscriptionJson
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.core.explain.call import explain_call
from missedd.core.explain.number import explain_number
from missedd.core.explain.remedies import remedies
from missedd.core.pagination import Query
from missedd.core.people.erasure import lookup_key
from missedd.core.phone import parse_prefix
from missedd.core.policy import Policy
from missedd.exotel.sms_status_codes import add_code_words, describe_code
from missedd.store.db.database import DatabaseConnection
from missedd.store.reads.reader import (
    call_trace,
    number_trace,
    subscriptions,
    suppressions,
    trace_of_own_call,
)

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "why",
        help="explain a call or a caller: what was decided, why, and what happens next",
        description="Explains one call, or all calls of a number, in words. Give a CallSid, a number in any "
        "format, or the pseudonym of a number that was erased. The daemon may be running or stopped.",
        epilog="example: missedd why --config missedd.toml 098765 43210",
    )
    add_config_option(parser)
    add_format_option(parser, "words", "json")
    parser.add_argument("what", nargs="+", metavar="CALLSID|NUMBER|PSEUDONYM")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class _WhyResult:
    policy: Policy
    timezone: str
    calls: list[StoryJson]
    suppressions: Sequence[SuppressionJson] = ()
    subscriptions: Sequence[SubscriptionJson] = ()


def run(args: argparse.Namespace) -> int:
    what = " ".join(args.what)
    found = run_query(args.config, partial(_find, what=what))
    if isinstance(found, int):
        return found
    now = SystemClock().now()
    about_number = explain_number(found.suppressions, found.subscriptions, now, found.timezone)
    if not found.calls and not about_number:
        print(f"no call is known by {what}: neither as a CallSid nor as a caller's number")
        return FAILED
    if args.format == "json":
        told = [
            replace(call, actions=[add_code_words(action) for action in call.actions]) for call in found.calls
        ]
        print(json.dumps(to_builtins(told), indent=2))
        return OK
    stories = [
        explain_call(call, now, found.timezone, describe_code, remedies(call, found.policy))
        for call in found.calls
    ]
    print("\n\n".join(filter(None, [about_number, *stories])))
    return OK


async def _find(settings: Settings, reader: DatabaseConnection, what: str) -> _WhyResult:
    known = partial(_WhyResult, settings.policy, settings.timezone)
    by_sid = await reader.read(partial(call_trace, call_sid=what))
    if by_sid is not None:
        return known([by_sid])
    number = lookup_key(what) or parse_prefix(what)
    if number is not None:
        query = Query(number=number)
        return known(
            await reader.read(partial(number_trace, number=number)),
            (await reader.read(partial(suppressions, query=query))).items,
            (await reader.read(partial(subscriptions, query=query))).items,
        )
    # Perhaps the Sid of a callback or an SMS of ours, as the provider's dashboard shows it.
    ours = await reader.read(partial(trace_of_own_call, provider_sid=what))
    return known([] if ours is None else [ours])
