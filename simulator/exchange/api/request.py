"""A request to the API, read and authenticated, and what is answered to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.exchange.webhooks.body_formats import Content, Fields, fields_by_name


@dataclass(frozen=True, slots=True)
class Request:
    """`resource` is the path below the account, without `.json`; `fields` the form as it came."""

    method: str
    resource: str
    path: str
    query: Mapping[str, str]
    fields: Fields
    body: bytes
    as_json: bool

    @property
    def form(self) -> dict[str, str]:
        return fields_by_name(self.fields)

    @property
    def last_segment(self) -> str:
        return self.resource.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """Content to be rendered in the asked format, or bare text; and the Sids of what was made."""

    content: Content | str
    status: int = 200
    sids: tuple[str, ...] = ()
