"""What the demo says: the daemon's log lines, as sentences."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import trio

from missedd.config.loader import DEFAULT_TIMEZONE


def greeting(address: str, password: str) -> str:
    """What is said first: where to look, and how to change something there."""
    return f"""
  The console   {address}
  Password      {password}      to pause a campaign there, suppress a number …
  Ctrl-C ends the demo. No real call is made.
"""


class Narrator:
    """Turns the daemon's log lines into sentences, and counts."""

    def __init__(self) -> None:
        self.started = trio.Event()
        self._names: dict[str, str] = {}
        self._rang = self._called = self._answered = self._texted = 0

    def add_caller(self, number: str, name: str) -> None:
        self._names[number[-4:]] = name

    def narrate(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            print(line, file=sys.stderr)
            return
        said = self._sentence(event)
        if said:
            at = (
                datetime.fromisoformat(event["at"])
                .astimezone(ZoneInfo(DEFAULT_TIMEZONE))
                .strftime("%H:%M:%S %Z")
            )
            print(f"  {at}  {said}", flush=True)

    def _sentence(self, event: Mapping[str, Any]) -> str | None:
        who = self._caller_name(event)
        match event["event"]:
            case "daemon.started":
                self.started.set()
            case "webhook.admitted":
                self._rang += 1
                owed = ", ".join(each.partition(":")[0] for each in event["actions"]) or "nothing"
                return f"{who} rang {event['campaign']}: {event['verdict']}; owed: {owed}"
            case "attempt.accepted" if event["kind"] == "callback":
                self._called += 1
                return f"    calling {who} back ({event['campaign']})"
            case "attempt.accepted" if event["kind"] == "sms":
                self._texted += 1
                return f"    SMS to {who} ({event['campaign']})"
            case "operator.acted":
                about = event.get("campaign") or event.get("number") or event.get("action") or ""
                return f"    you: {event['deed']} {about}"
            case "report.applied" if event["kind"] == "callback":
                self._answered += event["outcome"] == "answered"
                return f"    callback {event['action']}: {event['outcome']}"
        return None

    def _caller_name(self, event: Mapping[str, Any]) -> str:
        masked = str(event.get("caller") or event.get("number") or "")
        return f"{self._names.get(masked[-4:], 'somebody')} ({masked})"

    def summary(self) -> str:
        return (
            f"\n  {self._rang} calls came in; {self._called} callbacks went out, {self._answered} were "
            f"answered so far; {self._texted} SMS. Next: `missedd example` and `missedd serve --help`."
        )
