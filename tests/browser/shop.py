"""A shop's database as a working day leaves it, filled by hand, and the configuration that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from faker import Faker

from tests.store.database import FilledDatabase

INDIA = ZoneInfo("Asia/Kolkata")
EXOPHONES = {
    "admissions": "+918047120001",
    "sales": "+918047120002",
    "information": "+918047120003",
    "vote-asha": "+918047120004",
    "vote-ravi": "+918047120005",
    "weather": "+918047120006",
}
CALLBACKS = (
    *(("answered", "customer-answered"),) * 5,
    *(("no-answer", "customer-no-answer"),) * 2,
    ("busy", "customer-busy"),
    ("expired", "too-old"),
)

CONFIG = """
[[campaign]]
name = "admissions"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "30s", give_up_after = "4h" }
lead = { source = "missed_call" }
webhook = { url = "{application}" }
[[campaign]]
name = "sales"
exophones = ["+918047120002"]
callback = { agents = ["+919800000001"], delay = "5s" }
lead = { source = "advertisement" }
[campaign.sms]
sender = "EXAMPL"
body = "An agent will call you in a moment."
[[campaign]]
name = "information"
exophones = ["+918047120003"]
[campaign.sms]
sender = "EXAMPL"
body = "Thank you for calling."
[[campaign]]
name = "vote-asha"
exophones = ["+918047120004"]
vote = { poll = "singer", option = "Asha" }
[[campaign]]
name = "vote-ravi"
exophones = ["+918047120005"]
vote = { poll = "singer", option = "Ravi" }
[[campaign]]
name = "weather"
exophones = ["+918047120006"]
subscribe = { list = "weather", purpose = "daily weather alerts" }
[[poll]]
name = "singer"
"""


class Shop:
    """Fills the database; `now` is the present, as the daemon will find it."""

    def __init__(self, path: Path, now: datetime, seed: int = 1) -> None:
        self.db = FilledDatabase(path)
        self.now = now.astimezone(UTC).replace(microsecond=0)
        self.rng = Random(seed)
        self.people = Faker("en_IN")
        self._sids = 0
        self.last_sid = ""

    def fill(self, calls: int = 220) -> None:
        for at in self._instants(calls):
            self._call(at)
        for days in range(1, 28):
            for _ in range(self.rng.randrange(6, 14)):
                self._old_call(self.now - timedelta(days=days))
        self._waiting()
        self._trouble()
        self._wishes()
        self.db.close()

    def _instants(self, count: int) -> Iterator[datetime]:
        """So many of today, more at noon than at night; all of them within the day so far."""
        midnight = datetime.combine(self.now.astimezone(INDIA).date(), time(), INDIA).astimezone(UTC)
        so_far = (self.now - midnight).total_seconds()
        for _ in range(count):
            yield midnight + timedelta(seconds=int(self.rng.triangular(0, so_far - 1, so_far * 0.8)))

    def number(self) -> str:
        return f"+91{self.rng.randint(6, 9)}{self.rng.randrange(10**9):09d}"

    def sid(self) -> str:
        self._sids += 1
        self.last_sid = f"{self.rng.getrandbits(112):028x}{self._sids:04d}"
        return self.last_sid

    def _old_call(self, day: datetime) -> None:
        hour = min(23, max(0, round(self.rng.gauss(13, 3.2))))
        local = datetime.combine(day.astimezone(INDIA).date(), time(hour, self.rng.randrange(60)), INDIA)
        self.db.call(
            self.sid(), local.astimezone(UTC), caller=self.number(), exophone=EXOPHONES["admissions"]
        )

    def _call(self, at: datetime) -> None:
        name = self.rng.choices(list(EXOPHONES), weights=(6, 4, 3, 2, 1, 1))[0]
        verdict, reason = self.rng.choices(
            (
                ("accepted", "first-call"),
                ("duplicate", "within-dedup-window"),
                ("suppressed", "caller-suppressed"),
            ),
            weights=(20, 3, 1),
        )[0]
        number = self.number()
        of = {"campaign": name, "caller": number, "exophone": EXOPHONES[name]}
        call = self.db.call(self.sid(), at, verdict=verdict, reason=reason, **of)
        if verdict != "accepted":
            return
        whose = {
            "campaign": name,
            "number": number,
            "base_at": at,
            "created_at": at,
            "exophone": EXOPHONES[name],
        }
        if name in ("admissions", "sales"):
            outcome, why = self.rng.choice(CALLBACKS)
            placed = None if outcome == "expired" else at + timedelta(seconds=self.rng.randrange(30, 90))
            due = {"due_at": at + timedelta(seconds=30), "reason": why, "placed_at": placed}
            action = self.db.done(call, "callback", outcome, **whose | due | {"closed_at": placed or at})
            if placed is not None:
                self.db.put("attempts", action_id=action, number=1, started_at=placed, result="accepted")
            lead = {"campaign": name, "first_seen_at": at, "last_seen_at": at, "updated_at": at}
            is_converted = self.rng.random() < 0.15
            converted = {"status": "converted", "converted_at": at} if is_converted else {}
            self.db.lead(call, number, **lead | converted)
            if is_converted:
                self._conversion(call, name, number, at)
        if name in ("sales", "information"):
            sent = {"due_at": at, "reason": "sms-delivered", "placed_at": at, "closed_at": at}
            self.db.done(call, "sms", "delivered", **whose | sent)
        if name.startswith("vote-"):
            option = name.removeprefix("vote-").capitalize()
            vote = {
                "poll": "singer",
                "number": number,
                "standing": "counted",
                "called_at": at,
                "option": option,
            }
            self.db.put("votes", call_sid=self.last_sid, **vote)
        if name == "weather":
            self.db.subscription(call, number, consented_at=at, campaign=name)

    def _conversion(self, call: int, name: str, number: str, at: datetime) -> None:
        self.db.put(
            "conversions",
            reference=f"order-{call}",
            campaign=name,
            number=number,
            call_id=call,
            at=at,
            value=1500.0,
            created_at=at,
        )

    def _waiting(self) -> None:
        """Callbacks to come, and some that wait for the morning."""
        for n in range(12):
            at = self.now - timedelta(seconds=20 + n)
            number = self.number()
            of = {"campaign": "admissions", "exophone": EXOPHONES["admissions"]}
            call = self.db.call(self.sid(), at, caller=number, **of)
            hold = {"state": "held", "reason": "business-closed"} if n % 3 else {}
            due = self.now + timedelta(hours=1, minutes=7 * n)
            whose = {"number": number, "base_at": at, "created_at": at, "due_at": due, **of}
            self.db.action(call, "callback", **whose | hold | {"expires_at": due + timedelta(hours=4)})

    def _trouble(self) -> None:
        at = self.now - timedelta(hours=2)
        for n in range(3):
            number = self.number()
            of = {"campaign": "admissions", "exophone": EXOPHONES["admissions"]}
            call = self.db.call(self.sid(), at, caller=number, **of)
            whose = {"number": number, "base_at": at, "created_at": at, "due_at": at, "closed_at": at, **of}
            parked = self.db.done(call, "webhook", "failed", reason="retries-exhausted", **whose)
            for attempt in (1, 2):
                said = {"result": "refused", "code": "503", "reason": "endpoint-refused"}
                self.db.put("attempts", action_id=parked, number=attempt, started_at=at, **said)
            if n < 2:
                lost = {"reason": "not-found", "placed_at": at}
                action = self.db.done(call, "callback", "unknown", **whose | lost)
                self.db.put("attempts", action_id=action, number=1, started_at=at, result="unknown")

    def _wishes(self) -> None:
        self.db.suppression(self.number(), self.now - timedelta(days=3), reason="asked by mail", source="cli")
        self.db.suppression(
            self.number(), self.now - timedelta(days=1), reason="sms 30004", source="provider", channel="sms"
        )
        deed = {"source": "cli", "peer": "127.0.0.1", "deed": "number.suppressed", "subject": "+919876543210"}
        self.db.put("audit", at=self.now - timedelta(days=3), details='{"reason":"asked by mail"}', **deed)
