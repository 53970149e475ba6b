"""The API of the quarantine after a restore: how it stands, and its end."""

from __future__ import annotations

from quart import Blueprint, Response, jsonify

from missedd.web.shared.actor import current_actor
from missedd.web.shared.json_body import read_json_object
from missedd.web.shared.ports import Operations, Reads
from missedd.web.shared.problems import bad_input


def add_quarantine(api: Blueprint, reads: Reads, operations: Operations) -> None:
    @api.get("/v1/quarantine")
    async def quarantine() -> Response:
        return jsonify(await reads.quarantine())

    @api.post("/v1/quarantine/release")
    async def release() -> Response:
        drop = (await read_json_object("drop")).get("drop", False)
        if not isinstance(drop, bool):
            raise bad_input("drop", "is true or false")
        return jsonify({"actions": await operations.release_quarantine(current_actor(), drop=drop)})
