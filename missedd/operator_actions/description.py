"""Of what the description of an operator's action consists. Plain data, and a few small functions of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    from missedd.base.clock import Clock
    from missedd.core.api_types.leads import LeadJson
    from missedd.core.api_types.suppressions import SuppressionJson
    from missedd.core.explain.erasure_refusal import ErasureBlocker
    from missedd.core.pagination import Page, Query
    from missedd.core.people.erasure import ErasureRefusal
    from missedd.core.policy import Policy

type Json = dict[str, Any]
type Values = Mapping[str, Any]
"""The values of an action's arguments, by their names."""


@dataclass(frozen=True, slots=True)
class OperatorChange[R]:
    """What an operator asks for, such as `Suppress(number=…)`. `R` is what its unit of work returns."""

    audit_action: ClassVar[str]
    """The name of the change in the audit record and the log, as `noun.past_verb`."""


class ChangeRefused(Exception):
    """The change is not made. `status` is the HTTP status; `field` names the argument that is at fault."""

    def __init__(self, status: int, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field


class ArgumentKind(Enum):
    """What an argument is. Each interpreter knows for each kind how it is read and described."""

    NUMBER = auto()
    """A phone number in any spelling; E.164 once it is read."""
    NUMBER_OR_PREFIX = auto()
    """A phone number, or the beginning of several, as in `+232*`."""
    NAME = auto()
    """The name of a campaign or a list."""
    LINE = auto()
    """A text of one line."""
    UNTIL = auto()
    """An instant in the future; None for an end that is not known yet."""
    ROW_ID = auto()
    """The id of a row; `row_of` says of what."""
    CHOICE = auto()
    """One of `choices`."""
    FLAG = auto()
    """True or false."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument: a field of the change, a part of the path or a key of the body, and an argument of the
    command (`--name` where `is_option`)."""

    name: str
    kind: ArgumentKind
    help: str = ""
    """Words for the command's help; in the console they complete "Please say …" or "Please choose …"."""
    metavar: str | None = None
    is_option: bool = False
    is_required: bool = True
    choices: tuple[StrEnum, ...] = ()
    row_of: str = "action"
    label: str = ""
    """Words beside the field of the console's form."""
    description: str = ""
    """What the OpenAPI document says beside the argument's type."""


def why_argument(name: str, metavar: str) -> Argument:
    """Why a person makes the change, for the record."""
    return Argument(
        name, ArgumentKind.LINE, "why, for whoever asks later", metavar, is_option=True, label="Why"
    )


def until_argument(example: str, if_not_given: str) -> Argument:
    """When the change ends by itself."""
    words = f"a date, an instant, or how long from now: {example}; {if_not_given} if not given"
    return Argument("until", ArgumentKind.UNTIL, words, "T", is_option=True, is_required=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What the API answers when the change is made. Without a schema there is no body."""

    status: int
    schema: str | None = None
    """The name of the schema in the OpenAPI document."""
    properties: Json = field(default_factory=dict)
    """The properties of that schema. Without them the schema is described elsewhere."""
    refusals: tuple[int, ...] = ()
    """The other statuses that the API may answer with."""


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """The help of `missedd NAME`."""

    help: str
    description: str
    epilog: str | None = None
    takes_many: bool = False
    """Whether the command takes several values of its only argument, and asks for one after the other."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of the console, and where it stands."""

    path: str
    """Where the form is sent, such as `/campaigns/{name}/pause`."""
    place: str
    """Beside what the form stands: `campaign`, `lead`, …; the pages ask for the forms of a place."""
    button: str
    """Words on the button; `{name}` stands for an argument."""
    label: str | None = None
    """Words that name the button where many of it stand on a page."""
    is_plain: bool = False
    """Whether the button is drawn without weight, as it stands in every row of a list."""
    note: str = ""
    """A sentence above the form."""
    durations: Mapping[str, tuple[str, timedelta | None]] = field(default_factory=dict)
    """What may be chosen for the argument `until`: words and a time from now, by the value of the field."""
    flags: tuple[tuple[str, str], ...] = ()
    """The buttons of a form whose only argument is a flag: value and words."""
    last_digits: int = 0
    """How many of the last digits of `number` the person has to repeat, where nothing undoes the change."""

    def url(self, values: Values) -> str:
        return self.path.format_map({name: quote(str(value), safe="") for name, value in values.items()})


class AnswerReads(Protocol):
    """What an answer may read after the change, or to explain a refusal."""

    async def suppressions(self, query: Query) -> Page[SuppressionJson]: ...

    async def erasure_blocker(
        self, number: str, why: ErasureRefusal, at: datetime
    ) -> ErasureBlocker | None: ...

    async def lead(self, lead_id: int) -> LeadJson | None: ...


@dataclass(frozen=True, slots=True)
class AnswerContext:
    reads: AnswerReads
    policy: Policy
    clock: Clock


async def _no_body(context: AnswerContext, change: Any, result: Any) -> None:
    """The change is made, and there is no more to say."""


def _no_check(policy: Policy, change: Any) -> None:
    """Nothing has to be checked before the change is made."""


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """One action: its arguments, its route, its words. Where `command` or `form` is None it has none."""

    name: str
    change: type[OperatorChange[Any]]
    """Its fields are the arguments."""
    method: str
    path: str
    """The route below /api, as the OpenAPI document writes it: `/v1/campaigns/{name}/pause`."""
    operation_id: str
    summary: str
    arguments: tuple[Argument, ...]
    response: Response
    subject: str
    """What a refusal is about, such as `{number}` or `action {action_id}`: words before a colon."""
    done: Callable[[Values, Mapping[str, Any], Callable[[str], str]], str]
    """A sentence of success, without its full stop, of the arguments, the answer's body and a function that
    writes an instant in local time. A second sentence stands on a line of its own."""
    check: Callable[[Policy, Any], None] = _no_check
    """Looks at the change before it is made. Raises `ChangeRefused`."""
    body_schema: str | None = None
    """The name that the schema of the request's body has in the OpenAPI document."""
    answer: Callable[[AnswerContext, Any, Any], Awaitable[Any]] = _no_body
    """The body of the answer, of the change and of what its unit returned. Raises `ChangeRefused`."""
    command: CommandHelp | None = None
    form: Form | None = None

    def build_change(self, values: Values) -> OperatorChange[Any]:
        make: Callable[..., OperatorChange[Any]] = self.change
        return make(**values)

    def is_in_path(self, argument: Argument) -> bool:
        return f"{{{argument.name}}}" in self.path

    @property
    def body_arguments(self) -> tuple[Argument, ...]:
        return tuple(each for each in self.arguments if not self.is_in_path(each))


TEXT: Final[Json] = {"type": "string"}
COUNT: Final[Json] = {"type": "integer", "minimum": 0}
INSTANT: Final[Json] = {"type": "string", "format": "date-time"}


def or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}
