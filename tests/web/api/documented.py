"""Whether an answer is what the OpenAPI document says."""

from __future__ import annotations

from typing import Any

from missedd.web.api.openapi import build_document


def schemas() -> dict[str, Any]:
    """Every shape that the document knows, by name."""
    found: dict[str, Any] = build_document()["components"]["schemas"]
    return found


def conforms(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value has exactly the keys that the document promises, all the way down."""
    if "$ref" in schema:
        return conforms(value, schemas()[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return any(conforms(value, each) for each in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    match schema["type"]:
        case "object":
            known = schema["properties"]
            return (
                isinstance(value, dict)
                and set(schema["required"]) <= set(value) <= set(known)
                and all(conforms(each, known[key]) for key, each in value.items())
            )
        case "array":
            return isinstance(value, list) and all(conforms(each, schema["items"]) for each in value)
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int)
        case "null":
            return value is None
    return value is None or isinstance(value, int | float)
