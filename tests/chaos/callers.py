"""People who ring all the time, some of them again and again."""

from __future__ import annotations

import threading
import time
from random import Random
from types import TracebackType
from typing import Self

from tests.real.daemon import ExchangeServer

REGULARS = 20
"""They ring a fifth of the calls. Their telephones may still be ringing."""

PERSON = {"ring_s": 0.1, "talks_s": 0.5}


class Callers:
    """Ring from a thread while the block runs."""

    def __init__(self, exchange: ExchangeServer, rng: Random, calls_per_s: float) -> None:
        self._exchange = exchange
        self._rng = rng
        self._calls_per_s = calls_per_s
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        for index in range(REGULARS):
            self._exchange.control("POST", "people", {"number": _number(index), **PERSON})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        if kind is None and self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        newcomer, due = REGULARS, time.monotonic()
        try:
            while not self._is_over.wait(max(0.0, due - time.monotonic())):
                due += self._rng.expovariate(self._calls_per_s)
                if self._rng.random() < 0.2:
                    number = _number(self._rng.randrange(REGULARS))
                else:
                    number, newcomer = _number(newcomer), newcomer + 1
                    self._exchange.control("POST", "people", {"number": number, **PERSON})
                self._exchange.control("POST", "ring", {"number": number, "shape": "native", "wait": False})
        except BaseException as failure:
            self.failure = failure
            raise


def _number(index: int) -> str:
    return f"+9198{index:08d}"


def is_regular(number: str) -> bool:
    return int(number.removeprefix("+9198")) < REGULARS
