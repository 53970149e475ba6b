"""What really happened at the exchange: the ground truth that checks are held against.

Only the exchange writes it, in the order of events. Nothing is ever removed or deduplicated.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from simulator.exchange.model.records import (
    ApiRequest,
    Connect,
    Delivery,
    DroppedText,
    InboundRing,
    Ring,
    Text,
)

MINUTE = timedelta(seconds=60)


class GroundTruth:
    """All records of one run."""

    def __init__(self) -> None:
        self.rings: list[Ring] = []
        """Telephones that really rang."""
        self.engaged: list[Ring] = []
        """Attempts that found the line busy with another call."""
        self.connects: list[Connect] = []
        self.texts: list[Text] = []
        self.dropped_texts: list[DroppedText] = []
        self.inbound: list[InboundRing] = []
        self.turned_away: list[InboundRing] = []
        """Callers who found all channels of the account in use. Exotel has no record of their calls."""
        self.deliveries: list[Delivery] = []
        self.api_requests: list[ApiRequest] = []
        self._rings_to: defaultdict[str, list[Ring]] = defaultdict(list)
        self._texts_to: defaultdict[str, list[Text]] = defaultdict(list)
        self._call_by_sid: dict[str, Connect | InboundRing] = {}
        self._text_by_sid: dict[str, Text] = {}
        self._deliveries_of: defaultdict[str, list[Delivery]] = defaultdict(list)

    def add_ring(self, ring: Ring) -> None:
        if ring.engaged:
            self.engaged.append(ring)
            return
        self.rings.append(ring)
        self._rings_to[ring.number].append(ring)

    def add_connect(self, call: Connect) -> None:
        self.connects.append(call)
        self._call_by_sid[call.sid] = call

    def add_inbound(self, ring: InboundRing) -> None:
        if ring.engaged:
            self.turned_away.append(ring)
            return
        self.inbound.append(ring)
        self._call_by_sid.setdefault(ring.call_sid, ring)

    def add_text(self, text: Text) -> None:
        self.texts.append(text)
        self._texts_to[text.number].append(text)
        self._text_by_sid[text.sid] = text

    def add_delivery(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self._deliveries_of[delivery.call_sid].append(delivery)

    def rings_to(self, number: str) -> list[Ring]:
        return list(self._rings_to.get(number, ()))

    def ring_count(self, number: str) -> int:
        return len(self._rings_to.get(number, ()))

    def texts_to(self, number: str) -> list[Text]:
        return list(self._texts_to.get(number, ()))

    def call(self, sid: str) -> Connect | InboundRing | None:
        return self._call_by_sid.get(sid)

    def text(self, sid: str) -> Text | None:
        return self._text_by_sid.get(sid)

    def deliveries_of(self, sid: str) -> list[Delivery]:
        return list(self._deliveries_of.get(sid, ()))

    def rings_of(self, sid: str) -> list[Ring]:
        return [ring for ring in self.rings if ring.sid == sid]

    def connects_to(self, number: str) -> list[Connect]:
        """The calls created to reach `number`, as first or second party."""
        return [call for call in self.connects if number in (call.from_number, call.to_number)]

    def acknowledged_calls(self) -> list[str]:
        """CallSids of calls whose webhook got a 2xx, each once, in the order of the first 2xx."""
        return list(
            dict.fromkeys(
                d.call_sid
                for d in self.deliveries
                if d.kind == "missed-call" and d.tells_end and d.status is not None and 200 <= d.status < 300
            )
        )

    def max_calls_in_window(self, window: timedelta = MINUTE) -> int:
        """The largest number of calls created in any window of that length."""
        return max_in_window((call.created_at for call in self.connects), window)

    def max_rings_in_window(self, number: str, window: timedelta) -> int:
        """The largest number of rings of that number that began in any window of that length."""
        return max_in_window((ring.started_at for ring in self._rings_to.get(number, ())), window)

    def max_requests_per_minute(self, target: str = "voice") -> int:
        """The largest number of requests in any 60 s, refused ones too: of a target, or of all voice."""
        asked = (r for r in self.api_requests if (r.is_voice if target == "voice" else r.target == target))
        return max_in_window((r.at for r in asked), MINUTE)

    def as_json(self) -> dict[str, Any]:
        """Everything, as values that `json` can write; instants in ISO 8601."""
        records: dict[str, Iterable[Any]] = {
            "inbound": self.inbound,
            "turned_away": self.turned_away,
            "connects": self.connects,
            "rings": self.rings,
            "engaged": self.engaged,
            "texts": self.texts,
            "dropped_texts": self.dropped_texts,
            "deliveries": self.deliveries,
            "api_requests": self.api_requests,
        }
        return {name: [_json_value(_as_dict(one)) for one in rows] for name, rows in records.items()}


def max_in_window(instants: Iterable[datetime], window: timedelta) -> int:
    """The most instants within any half-open window of that length: two exactly `window` apart don't meet."""
    ordered = sorted(instants)
    return max((i + 1 - bisect_right(ordered, at - window) for i, at in enumerate(ordered)), default=0)


def _as_dict(record: Any) -> dict[str, Any]:
    """The fields of a record; who sent a request is left out where there is a single daemon."""
    found = asdict(record)
    if found.get("sent_by", record) is None:
        del found["sent_by"]
    return found


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _json_value(inner) for key, inner in value.items()}
    return value
