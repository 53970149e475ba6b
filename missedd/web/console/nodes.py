"""The page of the nodes: who leads, who is alive, whose clock or configuration differs."""

from __future__ import annotations

from quart import Blueprint

from missedd.base.clock import to_iso
from missedd.core.api_types.nodes import nodes_json
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page


def add_nodes(console: Blueprint, context: ConsoleContext) -> None:
    @console.get("/nodes")
    async def nodes() -> str:
        status = await context.cluster()
        living = status.living
        return await render_page(
            "nodes.html",
            here="/nodes",
            nodes=nodes_json(status).items,
            warnings=list(status.warnings()),
            epoch=status.epoch,
            renewed_at=to_iso(status.renewed_at),
            is_synchronous=status.why_not_synchronous is None,
            differs=len({node.config for node in living}) > 1,
            is_shared=status.is_shared,
        )
