"""What is decided about one call, or about a stream of calls, of one campaign."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from missedd.core.admission.caller_history import CallerHistory, KnownCall
from missedd.core.admission.decide import decide
from missedd.core.model import Admission, InboundCall, Kind
from missedd.core.policy import Campaign
from tests.core.campaigns import NOON, everything, ist, policy, seconds

SENT = (Kind.WEBHOOK, Kind.SMS, Kind.CALLBACK)


def decided(
    inbound: InboundCall,
    *campaigns: Campaign,
    seen: KnownCall | None = None,
    history: CallerHistory | None = None,
    received_at: datetime | None = None,
) -> Admission:
    return decide(
        inbound,
        policy(*(campaigns or (everything(),))),
        seen,
        history or CallerHistory(),
        received_at or (inbound.called_at or NOON) + seconds(1),
    )


def kinds(admission: Admission) -> tuple[Kind, ...]:
    return tuple(each.kind for each in admission.actions)


def only(admission: Admission, kind: Kind) -> Any:
    (found,) = (each for each in admission.actions if each.kind is kind)
    return found


CLOSED, OPENING = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")
