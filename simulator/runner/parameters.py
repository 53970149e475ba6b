"""The small change of a timeline: parameters of its deeds, read and applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import trio

from simulator.scenario import ScenarioMistake
from simulator.settings import DltTemplate, ExchangeSettings


def change_exchange(settings: ExchangeSettings, changes: Any, where: str) -> None:
    """Set some of the exchange's manners; raises ScenarioMistake for an unknown one."""
    known = {each.name for each in fields(settings)}
    for name, value in changes.items():
        if name not in known:
            raise ScenarioMistake(
                f"{where}.{name}: the exchange has no such setting; known are {', '.join(sorted(known))}"
            )
        setattr(settings, name, _setting(name, value, where))


def _setting(name: str, value: Any, where: str) -> Any:
    if name != "templates":
        return tuple(value) if isinstance(value, list) else value
    try:
        return tuple(DltTemplate(**each) for each in value)
    except TypeError as failure:
        raise ScenarioMistake(
            f"{where}.templates: each needs entity_id, template_id and text, and nothing else"
        ) from failure


def ring_options(params: Any) -> dict[str, Any]:
    return dict(_given(params, ("exophone", "shape", "spelling", "with_date")))


def _given(params: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    return ((name, params[name]) for name in names if name in params)


def discard[F](faults: list[F], fault: F) -> None:
    if fault in faults:
        faults.remove(fault)


async def later(wait_s: float, undo: Callable[[], None]) -> None:
    await trio.sleep(wait_s)
    undo()
