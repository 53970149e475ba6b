"""Numbers: suppress, contact again, take off a list, erase."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from missedd.base.clock import to_iso
from missedd.core.explain.erasure_refusal import describe_blocker
from missedd.core.pagination import Query
from missedd.core.people.erasure import ErasureRefusal, ErasureResult
from missedd.operator_actions.description import (
    COUNT,
    TEXT,
    AnswerContext,
    Argument,
    ArgumentKind,
    ChangeRefused,
    CommandHelp,
    Form,
    OperatorAction,
    OperatorChange,
    Response,
    Values,
    until_argument,
    why_argument,
)

_SPELLINGS: Final = "in any spelling"
_OR_PREFIX: Final = "in any spelling, or a prefix: '+232*'"
_NUMBER: Final = Argument("number", ArgumentKind.NUMBER, help=_SPELLINGS, metavar="NUMBER")
_NUMBER_OR_PREFIX: Final = Argument(
    "number",
    ArgumentKind.NUMBER_OR_PREFIX,
    help=_OR_PREFIX,
    metavar="NUMBER",
    label="Number, or a prefix such as +232*",
)


@dataclass(frozen=True, slots=True)
class Unsubscribe(OperatorChange[bool]):
    """Take a number off a list; False if it was not on it."""

    audit_action: ClassVar = "number.unsubscribed"
    name: str
    """The list's."""
    number: str


async def _unsubscribed(context: AnswerContext, change: Unsubscribe, was_on_list: bool) -> None:
    if not was_on_list:
        raise ChangeRefused(404, "the number is not on this list")


UNSUBSCRIBE: Final = OperatorAction(
    name="unsubscribe",
    change=Unsubscribe,
    method="DELETE",
    path="/v1/subscriptions/{name}/{number}",
    operation_id="unsubscribeNumber",
    summary="Take a number off a list",
    arguments=(
        Argument("name", ArgumentKind.NAME, metavar="LIST", description="The list's name."),
        _NUMBER,
    ),
    response=Response(204, refusals=(400, 404)),
    subject="{number}",
    done=lambda values, body, local: f"{values['number']} is off the list {values['name']!r}",
    answer=_unsubscribed,
    command=CommandHelp(
        help="take a number off a list",
        description="Ends the number's consent, as a call to the list's unsubscribe ExoPhone does. "
        "The consent stays on record, with its evidence and the time at which it ended.",
        epilog="example: missedd unsubscribe --config missedd.toml weather 098765 43210",
    ),
    form=Form(
        path="/subscriptions/{name}/withdraw",
        place="consent",
        button="Take off",
        label="Take {number} off {name}",
        is_plain=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Suppress(OperatorChange[None]):
    """Contact a number, or all numbers with a prefix, no more; `until` None is for ever."""

    audit_action: ClassVar = "number.suppressed"
    number: str
    reason: str
    until: datetime | None


async def _suppressed(context: AnswerContext, change: Suppress, result: None) -> dict[str, Any]:
    return {"number": change.number, "reason": change.reason, "until": to_iso(change.until)}


def _suppress_done(values: Values, body: Mapping[str, Any], local: Callable[[str], str]) -> str:
    how_long = f"until {local(body['until'])}" if body["until"] else "for ever"
    return f"{body['number']} is suppressed {how_long}"


SUPPRESS: Final = OperatorAction(
    name="suppress",
    change=Suppress,
    method="POST",
    path="/v1/suppressions",
    operation_id="suppressNumber",
    summary="Suppress a number",
    body_schema="Suppress",
    arguments=(
        _NUMBER_OR_PREFIX,
        why_argument("reason", "R"),
        until_argument("90d", "for ever"),
    ),
    response=Response(201, "Suppress", refusals=(400,)),
    subject="{number}",
    done=_suppress_done,
    answer=_suppressed,
    command=CommandHelp(
        help="put a number on the suppression list",
        description="From now on the number gets no call and no SMS, even where one is due. Calls "
        "from the number are still counted. A prefix such as '+232*' means all numbers "
        "that begin with +232; put it in quotes.",
        epilog="example: missedd suppress --config missedd.toml 098765 43210 --reason 'asked by mail' "
        "--until 90d",
    ),
    form=Form(
        path="/suppressions/add",
        place="number",
        button="Stop contact",
        durations={
            "": ("for ever", None),
            "7d": ("for a week", timedelta(days=7)),
            "90d": ("for 90 days", timedelta(days=90)),
            "365d": ("for a year", timedelta(days=365)),
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Unsuppress(OperatorChange[bool]):
    """Let a number be contacted again; False if it was not suppressed."""

    audit_action: ClassVar = "number.released"
    number: str


async def _unsuppressed(context: AnswerContext, change: Unsuppress, was_suppressed: bool) -> None:
    if was_suppressed:
        return
    others = (await context.reads.suppressions(Query(number=change.number))).items
    prefixes = [each.number for each in others if each.number != change.number]
    by = f" by itself, but by {' and '.join(prefixes)}" if prefixes else ""
    raise ChangeRefused(404, f"the number is not suppressed{by}")


UNSUPPRESS: Final = OperatorAction(
    name="unsuppress",
    change=Unsuppress,
    method="DELETE",
    path="/v1/suppressions/{number}",
    operation_id="unsuppressNumber",
    summary="Let a number be contacted again",
    arguments=(_NUMBER_OR_PREFIX,),
    response=Response(204, refusals=(404,)),
    subject="{number}",
    done=lambda values, body, local: f"{values['number']} may be contacted again",
    answer=_unsuppressed,
    command=CommandHelp(
        help="take a number off the suppression list",
        description="Removes every suppression of the number: an operator's, the provider's, and the "
        "number's own opt-out. Actions that were dropped meanwhile stay dropped.",
    ),
    form=Form(
        path="/suppressions/remove",
        place="suppression",
        button="Allow contact again",
        label="Allow contact with {number} again",
        is_plain=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Erase(OperatorChange[ErasureResult | ErasureRefusal]):
    """Put a pseudonym in the place of a number, wherever the law lets it go."""

    audit_action: ClassVar = "number.erased"
    number: str


async def _erased(
    context: AnswerContext, change: Erase, result: ErasureResult | ErasureRefusal
) -> dict[str, Any]:
    if isinstance(result, ErasureRefusal):
        blocker = await context.reads.erasure_blocker(change.number, result, context.clock.now())
        status = 404 if result is ErasureRefusal.UNKNOWN else 409
        raise ChangeRefused(status, describe_blocker(result, blocker, context.policy.timezone))
    return {
        "pseudonym": result.pseudonym,
        "suppressions": result.suppressions,
        "consents": result.consents,
    }


def _erase_done(values: Values, body: Mapping[str, Any], local: Callable[[str], str]) -> str:
    done = f"{values['number']} is erased; its calls stay counted as those of {body['pseudonym']}"
    kept = [
        f"{count} {word if count == 1 else word + 's'}"
        for word, count in (("suppression", body["suppressions"]), ("consent", body["consents"]))
        if count
    ]
    return f"{done}\nkept with the number: {' and '.join(kept)}" if kept else done


ERASE: Final = OperatorAction(
    name="erase",
    change=Erase,
    method="POST",
    path="/v1/numbers/{number}/erase",
    operation_id="eraseNumber",
    summary="Put a pseudonym in the place of a number, in all but suppressions and consents",
    arguments=(_NUMBER,),
    response=Response(
        200,
        "Erased",
        {
            "pseudonym": TEXT | {"description": "What stands in the number's place, as in `erased:17`."},
            "suppressions": COUNT | {"description": "How many suppressions keep the number."},
            "consents": COUNT | {"description": "How many consents keep the number."},
        },
        refusals=(400, 404, 409),
    ),
    subject="{number}",
    done=_erase_done,
    answer=_erased,
    command=CommandHelp(
        help="replace a number with a pseudonym",
        description="Replaces the number with a pseudonym wherever it is stored. All figures stay "
        "the same. Suppressions and consents keep the number, because the law requires "
        "them. The command is refused while an action for the number is not done. It "
        "cannot be undone, and it does not change backups.",
        epilog="example: missedd erase --config missedd.toml 098765 43210",
    ),
    form=Form(
        path="/numbers/erase",
        place="number to erase",
        button="Erase",
        note="A pseudonym replaces the number in its calls, actions, leads and votes, so all figures "
        "stay the same. Suppressions and consents keep the number. This cannot be undone.",
        last_digits=4,
    ),
)

ACTIONS: Final = (UNSUBSCRIBE, SUPPRESS, UNSUPPRESS, ERASE)
