"""Small functions that read and apply the parameters of timeline events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import trio

from simulator.exchange.model.settings import ExchangeSettings
from simulator.scenario.schema import SETTING_READERS


def apply_exchange_settings(settings: ExchangeSettings, changes: Mapping[str, Any]) -> None:
    """Change some settings of the exchange. Raises ValueError for an invalid value."""
    for name, value in changes.items():
        setattr(settings, name, SETTING_READERS[name](value))


def ring_options(params: Any) -> dict[str, Any]:
    return dict(_present(params, ("exophone", "shape", "spelling", "with_date")))


def _present(params: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    return ((name, params[name]) for name in names if name in params)


def remove_if_present[F](faults: list[F], fault: F) -> None:
    if fault in faults:
        faults.remove(fault)


async def run_after(wait_s: float, action: Callable[[], object]) -> None:
    await trio.sleep(wait_s)
    action()
