"""The shapes of the API's JSON, as JSON Schema, for the OpenAPI document and the tests that hold us to it.

What the API answers is described by `missedd.core.api_types`. Here, and beside their routes, are the bodies
that it takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from missedd.core.api_types.actions import AttemptJson, ListedActionJson, ReportJson
from missedd.core.api_types.analytics import FiguresJson
from missedd.core.api_types.audit import AuditedJson
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.calls import CallJson, StoryJson
from missedd.core.api_types.campaigns import CampaignsJson, QuarantineJson
from missedd.core.api_types.consents import SubscriptionJson
from missedd.core.api_types.conversions import BatchAnswerJson, ConversionJson
from missedd.core.api_types.fields import Instant, Number, SuppressedNumber
from missedd.core.api_types.leads import LeadJson
from missedd.core.api_types.nodes import NodesJson
from missedd.core.api_types.polls import PollJson
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.core.api_types.verifications import VerificationJson
from missedd.core.api_types.webhooks import MissedCallAcceptedJson, VerificationVerifiedJson

type Json = dict[str, Any]

ANSWERS: Final[tuple[type[ApiObject], ...]] = (
    *(CallJson, StoryJson, ListedActionJson, AttemptJson, ReportJson),
    *(LeadJson, ConversionJson, BatchAnswerJson, SuppressionJson, SubscriptionJson, VerificationJson),
    *(CampaignsJson, PollJson, FiguresJson, AuditedJson),
    *(QuarantineJson, NodesJson),
    *(MissedCallAcceptedJson, VerificationVerifiedJson),
)
"""What the API answers, and what the webhooks send; what these are made of is described with them."""

_SUFFIX: Final = "Json"

TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
INSTANT: Json = msgspec.json.schema(Instant)
NUMBER: Json = msgspec.json.schema(Number)
NUMBER_OR_PREFIX: Json = msgspec.json.schema(SuppressedNumber)


def schemas() -> Json:
    problem = {
        "title": TEXT,
        "status": {"type": "integer"},
        **dict.fromkeys(("detail", "field", "reason"), TEXT),
    }
    return answers(ANSWERS) | {
        "Problem": object_of(problem, optional=("field", "reason")),
    }


def answers(types: Iterable[type[ApiObject]]) -> Json:
    """The schemas of these objects and of all that is in them. That of `LeadJson` is called `Lead`."""
    _, found = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return {name.removesuffix(_SUFFIX): _shortened(schema) for name, schema in found.items()}


def _shortened(part: Any) -> Any:
    """A part of a schema that names no class of ours: not as its title, and not in `$ref`."""
    match part:
        case {"$ref": ref, **others}:
            return {"$ref": ref.removesuffix(_SUFFIX), **others}
        case list():
            return [_shortened(each) for each in part]
        case dict():
            named = part.items()
            return {name: _shortened(each) for name, each in named if (name, type(each)) != ("title", str)}
    return part


def object_of(properties: Json, optional: tuple[str, ...] = ()) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def array_of(schema: str) -> Json:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


def _array_of_objects(properties: Json, count: int | None = None) -> Json:
    """A list of such objects, of a fixed length if `count` says so."""
    length = {} if count is None else {"minItems": count, "maxItems": count}
    return {"type": "array", "items": object_of(properties), **length}


def or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}
