"""The shapes of the API's JSON, as JSON Schema, for the OpenAPI document and the tests that hold us to it."""

from __future__ import annotations

from typing import Any

from missedd.core.actions.details import ACTION_DETAILS, ActionDetail
from missedd.core.actions.resolution import RESOLUTION_OUTCOMES
from missedd.core.model import SHAPE_RECOVERED, SHAPE_SMS_APPLET, Kind, Outcome, State, Verdict
from missedd.core.people.suppression import Channel, RefusedSmsClass
from missedd.core.polls.voting_rules import VoteStatus
from missedd.core.reasons import ANSWERED_REASONS

type Json = dict[str, Any]

TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
INSTANT: Json = {"type": "string", "format": "date-time"}
NUMBER: Json = {
    "type": "string",
    "description": "E.164; `erased:` and a count in the place of a number that was erased",
    "examples": ["+919876543210"],
}
NUMBER_OR_PREFIX: Json = {
    "type": "string",
    "description": "E.164, or with an asterisk the beginning of several numbers",
    "examples": ["+919876543210", "+232*"],
}
RATE: Json = {"type": ["number", "null"], "description": "A fraction; null over nothing."}
WAIT: Json = {"type": ["number", "null"], "description": "Seconds, exact to two percent; null over nothing."}


def schemas() -> Json:
    call = {
        "call_sid": TEXT,
        "from": or_null(NUMBER),
        "to": or_null(NUMBER),
        "campaign": or_null(TEXT),
        "called_at": INSTANT,
        "received_at": INSTANT,
        "verdict": {"enum": list(Verdict)},
        "reason": TEXT,
        "reason_words": TEXT,
        "shape": {"enum": ["native", "passthru", SHAPE_RECOVERED, SHAPE_SMS_APPLET]},
        "redeliveries": COUNT,
        "reached_at": or_null(
            INSTANT | {"description": "When it was told that somebody took the call, after it was decided."}
        ),
        "reached_by": {"enum": [*ANSWERED_REASONS, None]},
    }
    attempt = {
        "number": {"type": "integer", "minimum": 1},
        "started_at": INSTANT,
        "finished_at": or_null(INSTANT),
        "result": {"enum": ["accepted", "refused", "unknown", None]},
        **dict.fromkeys(("code", "reason", "reason_words", "provider_sid", "message"), or_null(TEXT)),
    }
    report = {
        "received_at": INSTANT,
        "source": {"enum": ["report", "look-up"]},
        "status": TEXT,
        "code": or_null(TEXT),
        "provider_sid": TEXT,
        "effect": TEXT,
    }
    action = {
        "id": COUNT,
        "kind": {"enum": list(Kind)},
        "state": {"enum": list(State)},
        "outcome": {"enum": [*Outcome, None]},
        "due_at": INSTANT,
        "reason": TEXT,
        "reason_words": TEXT,
        "plan": {"enum": ["open", "after-hours"]},
        "placed_at": or_null(INSTANT),
        "closed_at": or_null(INSTANT),
        "provider_sid": or_null(TEXT),
        "expires_at": or_null(INSTANT),
        "retry_index": COUNT,
        "origin": or_null({"type": "integer"}),
        "settled_outcome": {"enum": [*RESOLUTION_OUTCOMES, None]},
        "settled_at": or_null(INSTANT),
        "settled_note": or_null(TEXT),
        "answered_at": or_null(INSTANT),
        "code": or_null(TEXT | {"description": "The provider's, with which it ended."}),
        "code_words": or_null(TEXT | {"description": "Why an SMS with this code was not delivered."}),
        **{each.name: _fact_schema(each) for each in ACTION_DETAILS},
    }
    vote = {"poll": TEXT, "option": TEXT, "standing": {"enum": list(VoteStatus)}}
    told = action | {
        "vote": or_null(object_of(vote)),
        "attempts": array_of("Attempt"),
        "reports": array_of("Report"),
    }
    hour = {"hour": {"type": "integer", "minimum": 0, "maximum": 23}, "calls": COUNT}
    figures = {
        **dict.fromkeys(("total_calls", "unique_callers", "callbacks_made", "callbacks_answered"), COUNT),
        **dict.fromkeys(("leads", "conversions", "sms_sent", "sms_delivered", "recovered"), COUNT),
        "agent_misses": COUNT | {"description": "Callbacks that only rang an agent, who did not come."},
        **dict.fromkeys(("callback_success_rate", "conversion_rate", "sms_delivery_rate"), RATE),
        **dict.fromkeys(
            ("seconds_to_callback", "seconds_to_answer"), object_of({"median": WAIT, "p95": WAIT})
        ),
        "callback_outcomes": _array_of_objects({"outcome": TEXT, "reason": TEXT, "count": COUNT}),
        "sms_by_reason": _array_of_objects(
            {"outcome": TEXT, "reason": TEXT, "code": or_null(TEXT), "count": COUNT}
        ),
        "verdicts": _array_of_objects({"verdict": TEXT, "reason": TEXT, "calls": COUNT}),
        "actions": _array_of_objects({"kind": TEXT, "state": TEXT, "outcome": or_null(TEXT), "count": COUNT}),
        "peak_hours": _array_of_objects(hour, count=24),
        "weekday_hours": _array_of_objects(
            {"weekday": {"type": "integer", "minimum": 0, "maximum": 6, "description": "Monday is 0."}}
            | hour,
            count=7 * 24,
        ),
        "by_day": _array_of_objects({"date": {"type": "string", "format": "date"}, "calls": COUNT}),
    }
    suppression = {
        "number": NUMBER_OR_PREFIX,
        "reason": TEXT,
        "source": {"enum": ["api", "cli", "console", "provider", "opt-out"]},
        "since": INSTANT,
        "until": or_null(INSTANT),
        "channel": {"enum": list(Channel)},
        "class": {
            "enum": [*RefusedSmsClass, None],
            "description": "Which SMS the operators refuse, where it is not all of them: the promotional "
            "ones, those of one sender, or any, as the number takes no SMS.",
        },
        "sender": or_null(TEXT) | {"description": "Of the class `sender`: whose SMS are refused."},
        "call_sid": or_null(TEXT) | {"description": "Of an opt-out: the call that asked for it."},
    }
    problem = {
        "title": TEXT,
        "status": {"type": "integer"},
        **dict.fromkeys(("detail", "field", "reason"), TEXT),
    }
    return {
        "Call": object_of(call),
        "Story": object_of(call | {"actions": array_of("Action"), "verification": or_null(TEXT)}),
        "Action": object_of(told),
        "ListedAction": object_of(action | {"campaign": TEXT, "number": NUMBER, "call_sid": TEXT}),
        "Attempt": object_of(attempt),
        "Report": object_of(report),
        "Suppression": object_of(suppression),
        "Quarantine": object_of({"since": or_null(INSTANT), "actions": COUNT}),
        "Figures": object_of(figures),
        "Problem": object_of(problem, optional=("field", "reason")),
    }


def _fact_schema(fact: ActionDetail) -> Json:
    if fact.values:
        return {"enum": [*fact.values, None], "description": fact.description}
    return or_null((COUNT if fact.is_count else TEXT) | {"description": fact.description})


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
