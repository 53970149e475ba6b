"""What the leader tells all nodes with each renewal, so that every console shows the same troubles."""

from __future__ import annotations

import msgspec

from missedd.engine.leader.leader import LeaderState


def encode_leader_state(state: LeaderState) -> str:
    """The state as JSON."""
    return msgspec.json.encode(state).decode()


def decode_leader_state(text: str) -> LeaderState:
    """The state in a text; an empty one for a text of another release, whose words this one may lack."""
    try:
        return msgspec.json.decode(text, type=LeaderState)
    except msgspec.ValidationError:
        return LeaderState()
