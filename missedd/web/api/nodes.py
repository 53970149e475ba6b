"""The API of the nodes that share one database."""

from __future__ import annotations

from quart import Blueprint, Response, jsonify

from missedd.core.api_types.nodes import nodes_json
from missedd.web.api.openapi_parts import json_response, operation
from missedd.web.api.schemas import Json
from missedd.web.shared.ports import ClusterReader


def add_nodes(api: Blueprint, cluster: ClusterReader) -> None:
    @api.get("/v1/nodes")
    async def nodes() -> Response:
        return jsonify(nodes_json(await cluster()))


def paths() -> Json:
    return {
        "/api/v1/nodes": {
            "get": operation(
                "listNodes",
                "The daemons on this database: who leads, who is alive",
                {"200": json_response("Nodes")},
            ),
        },
    }
