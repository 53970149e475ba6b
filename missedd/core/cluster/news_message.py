"""What one node tells the others in one NOTIFY, as text: new timers, polls that changed, a vacant leadership.

A message is a hint. Whoever receives one reads the database; whoever misses one reads it a little later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

MAX_WAKES: Final = 150
"""Timers in one message, at 45 bytes each at most; with more the leader reads them from the database."""

MAX_POLLS: Final = 20
"""Polls in one message; with more every live page reads anew."""

type Wake = tuple[int, int, str]
"""An action that is due: microseconds of Unix time, its id, its lane."""


@dataclass(frozen=True, slots=True)
class NewsMessage:
    sender: int
    """The id of the node."""
    wakes: tuple[Wake, ...] = ()
    reread: bool = False
    """The leader shall read what is due: there were too many timers for a message, or some got lost."""
    polls: tuple[str, ...] = ()
    all_polls: bool = False
    catch_up: bool = False
    """The leader shall soon ask the provider for calls that no webhook brought."""
    vacant: bool = False
    """The leader has handed over: a candidate need not wait for its next round."""


def encode_news(message: NewsMessage, max_bytes: int) -> str:
    """The message as JSON of at most `max_bytes` bytes. What does not fit becomes a wish to read anew."""
    content: dict[str, Any] = {"from": message.sender}
    if message.catch_up:
        content["catch_up"] = True
    if message.vacant:
        content["vacant"] = True
    if message.reread or len(message.wakes) > MAX_WAKES:
        content["reread"] = True
    elif message.wakes:
        content["wakes"] = message.wakes
    if message.all_polls or len(message.polls) > MAX_POLLS:
        content["all_polls"] = True
    elif message.polls:
        content["polls"] = message.polls
    text = _compact(content)
    if len(text.encode()) > max_bytes and content.pop("polls", None):  # names may be long
        text = _compact(content | {"all_polls": True})
    if len(text.encode()) > max_bytes:
        raise AssertionError(f"{MAX_WAKES} timers do not fit into {max_bytes} bytes")
    return text


def decode_news(text: str) -> NewsMessage:
    """The message in a text. One that is none of ours, or a newer release's, means: read everything."""
    try:
        content = json.loads(text)
        return NewsMessage(
            sender=int(content["from"]),
            wakes=tuple((int(at), int(action), str(lane)) for at, action, lane in content.get("wakes", ())),
            reread=bool(content.get("reread")),
            polls=tuple(map(str, content.get("polls", ()))),
            all_polls=bool(content.get("all_polls")),
            catch_up=bool(content.get("catch_up")),
            vacant=bool(content.get("vacant")),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return NewsMessage(sender=0, reread=True, all_polls=True)


def _compact(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
