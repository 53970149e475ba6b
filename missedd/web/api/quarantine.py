"""The API of the quarantine after a restore: how it stands, and its end."""

from __future__ import annotations

from quart import Blueprint, Response, jsonify

from missedd.web.shared.actor import acting
from missedd.web.shared.json_body import json_object
from missedd.web.shared.ports import Operations, Reads
from missedd.web.shared.problems import bad_input


def add_quarantine(api: Blueprint, reads: Reads, operations: Operations) -> None:
    @api.get("/v1/quarantine")
    async def quarantine() -> Response:
        return jsonify(await reads.quarantine())

    @api.post("/v1/quarantine/release")
    async def release() -> Response:
        drop = (await json_object("drop")).get("drop", False)
        if not isinstance(drop, bool):
            raise bad_input("drop", "is true or false")
        return jsonify({"actions": await operations.release(acting(), drop=drop)})
