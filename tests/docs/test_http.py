"""Every path that the documentation names is served; the page about the API names every operation."""

from __future__ import annotations

import re

import pytest

from missedd.web.api.openapi import build_document
from simulator.server.admin import ENDPOINTS
from tests.docs.markdown import PAGES, Page, page

PUBLIC = (
    "/exotel/{token}/missed-call",
    "/exotel/{token}/sms-text",
    "/exotel/{token}/call-status/{action}",
    "/exotel/{token}/sms-status/{action}",
)
PRIVATE = ("/", "/healthz", "/readyz", "/metrics", "/login", "/api/openapi.json")
OPERATIONS = {
    f"{method.upper()} {path}"
    for path, operations in build_document()["paths"].items()
    for method in operations
    if method in ("get", "post", "put", "patch", "delete")
}
SIMULATOR = {line.split()[1] for line in ENDPOINTS} | {"/_sim", "/_sim/"}

_PATH = re.compile(r"(?<![\w.:/-])/(?:api/|exotel/|_sim/|healthz|readyz|metrics)[^\s`'\"|)…,&]*")
_OPERATION = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) /api/[^\s`]+)`")


def is_served(path: str) -> bool:
    """Whether a path, with values or names in its variable parts, is one of ours."""
    bare = path.partition("?")[0].partition("#")[0].rstrip(".;:")
    if bare in ("/exotel/", "/exotel/*"):  # all of them, in a proxy's configuration
        return True
    if bare.startswith("/_sim"):
        return bare in SIMULATOR
    patterns = [*PUBLIC, *PRIVATE, *build_document()["paths"], "/api/v1/"]
    return any(re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known)), bare) for known in patterns)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_path_that_is_named_is_served(page: Page) -> None:
    # A program that is shown in Python may speak with others too, such as a CRM.
    others = "".join(block.text for block in page.blocks if block.language == "python")
    for path in _PATH.findall(page.text):
        if path in others:
            continue
        assert is_served(path), f"{page}: {path}"


def test_the_page_about_the_api_names_every_operation_and_no_other() -> None:
    assert {
        name.partition("?")[0] for name in _OPERATION.findall(page("docs/http-api.md").text)
    } == OPERATIONS


@pytest.mark.parametrize("path", ["/api/v1/call", "/_sim/rings", "/exotel/{token}/missed"])
def test_a_path_that_is_not_served_is_found(path: str) -> None:
    assert not is_served(path)
