"""The versions of the API: where the paths of each begin, and how each writes answers and errors.

    /v1/Accounts/<sid>/Calls/connect         XML, or JSON where the resource ends in `.json`
    /v2_beta/Accounts/<sid>/…                JSON, with the errors of v1
    /v2/accounts/<sid>/…, /v3/accounts/…     JSON in an envelope: request_id, method, http_code, response

Paths are case-sensitive. What is not simulated says so, in the form of its version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from simulator.exchange.model.api_requests import RestException
from simulator.exchange.webhooks.body_formats import Content, json_body, xml_body

_PATH = re.compile(
    r"/(?:(?P<old>v1|v2_beta)/Accounts|(?P<new>v2|v3)/[Aa]ccounts)"
    r"/(?P<account>[^/]*?)(?:\.json|/(?P<resource>.*))?"
)
_NO_VERSION = re.compile(r"/(?!v2_beta/|v2/|v3/)v[0-9]\w*(/|$)")
"""Exotel answers 400 to a version that there is not, and to v1 without its `/Accounts/`."""

_ERROR_CODES = {400: 1002, 401: 1010, 403: 1010, 429: 1030, 500: 1100}
"""`error_data.code` of v2 and v3 by HTTP status. Of a path that there is not, no code is known."""


class ApiVersion(StrEnum):
    V1 = "v1"
    V2_BETA = "v2_beta"
    V2 = "v2"
    V3 = "v3"


@dataclass(frozen=True, slots=True)
class ApiPath:
    """A path taken apart. `resource` is what follows the account, decoded and without `.json`."""

    path: str
    version: ApiVersion | None
    account: str
    resource: str
    as_json: bool

    @property
    def has_envelope(self) -> bool:
        return self.version in (ApiVersion.V2, ApiVersion.V3)


def parse_path(path: str) -> ApiPath:
    found = _PATH.fullmatch(path)
    ends_in_json = path.endswith(".json")
    if found is None:
        return ApiPath(path, None, "", "", as_json=ends_in_json or not path.startswith("/v1"))
    version = ApiVersion(found["old"] or found["new"])
    resource = unquote(found["resource"] or "").removesuffix(".json").rstrip("/")
    return ApiPath(path, version, found["account"], resource, ends_in_json or version is not ApiVersion.V1)


def unknown_path(address: ApiPath) -> RestException:
    """The refusal of a path that is of no version."""
    status = 400 if _NO_VERSION.match(address.path) else 404
    return RestException(status, f"{address.path} is not simulated: paths begin with /v1/Accounts/<sid>/")


def not_simulated_error(
    address: ApiPath, method: str, status: int = 404, code: int | None = None
) -> RestException:
    words = "Method Not Allowed" if status == 405 else "Not Found"
    return RestException(status, f"{words}: {method} {address.path} is not simulated", code)


def content_type(address: ApiPath) -> str:
    return "application/json" if address.as_json else "application/xml"


def response_body(address: ApiPath, content: Content) -> bytes:
    return json_body(content) if address.as_json else xml_body(content)


def error_body(address: ApiPath, method: str, request_id: str, refusal: RestException) -> bytes:
    """An error's body, in the form of its version."""
    if not address.has_envelope:
        return response_body(address, refusal.as_json())
    error = {
        "code": _ERROR_CODES.get(refusal.status),
        "message": refusal.message,
        "description": refusal.message,
    }
    return json_body(envelope(method, request_id, refusal.status, error_data=error))


def envelope(
    method: str, request_id: str, status: int, *, data: Any = None, error_data: Any = None
) -> dict[str, Any]:
    """An answer of v2, with the data asked for or with an error."""
    return {
        "request_id": request_id,
        "method": method,
        "http_code": status,
        "response": {
            "code": status,
            "error_data": error_data,
            "status": "success" if error_data is None else "failure",
            "data": data,
        },
    }
