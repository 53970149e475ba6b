"""Record conversions that the business reports, a batch in one transaction, each known by its reference."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from missedd.base.clock import from_us, to_us
from missedd.core.analytics.figures import COUNTED_VERDICTS
from missedd.core.api_types.conversions import ConversionJson
from missedd.core.people.conversions import (
    CallCandidate,
    ConversionInput,
    ConversionResult,
    StoredConversion,
    UnknownCaller,
    attribute_conversion,
    conflicting_fields,
)
from missedd.store.db.columns import Columns
from missedd.store.db.database import Database, Row
from missedd.store.people.leads import mark_converted

_COUNTED: Final = ", ".join(f"'{each}'" for each in COUNTED_VERDICTS)

CONVERSION: Final = Columns(ConversionJson, "v", call_sid="c.call_sid", lead="v.lead_id")


async def record_conversions(
    db: Database, conversions: Sequence[ConversionInput], now: datetime, *, dry_run: bool = False
) -> list[ConversionResult]:
    """Record conversions in their order and return a result for each; a `dry_run` writes nothing.

    A reference that is known already, also from earlier in the batch, gets its first conversion as result.
    """
    known = await _load_known(db, conversions)
    candidates = await _load_candidates(db, conversions)
    ids = await db.engine.new_ids(db, "conversions", len(conversions))
    results: list[ConversionResult] = []
    new: list[tuple[object, ...]] = []
    leads: list[tuple[int, datetime]] = []
    for conversion in conversions:
        reference = conversion.reference
        if reference in known:
            results.append(_repeated(conversion, known[reference]))
            continue
        at = conversion.at or now
        call = attribute_conversion(
            candidates[conversion.call_sid or conversion.number or ""], conversion, at
        )
        if isinstance(call, UnknownCaller):
            results.append(call)
            continue
        row = (
            *(next(ids), reference, call.campaign, call.number, call.call_sid, to_us(at)),
            *(conversion.value, call.lead_id, to_us(now)),
        )
        known[reference] = row
        new.append((*row[:4], call.call_id, *row[5:]))
        if call.lead_id is not None:
            leads.append((call.lead_id, at))
        results.append(StoredConversion(CONVERSION.read(row), is_repeated=False))
    if not dry_run:
        await db.executemany(
            """INSERT INTO conversions
                   (id, reference, campaign, number, call_id, at, value, lead_id, created_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            new,
        )
        await mark_converted(db, leads, now)
    return results


def _repeated(conversion: ConversionInput, row: Row) -> StoredConversion:
    stored = ConversionInput(
        reference=row[1], campaign=row[2], number=row[3], call_sid=row[4], at=from_us(row[5]), value=row[6]
    )
    return StoredConversion(
        CONVERSION.read(row), is_repeated=True, conflicting_fields=conflicting_fields(conversion, stored)
    )


async def _load_known(db: Database, conversions: Sequence[ConversionInput]) -> dict[str, Row]:
    rows = await db.fetch_all(
        f"""SELECT {CONVERSION.sql} FROM conversions v LEFT JOIN calls c ON c.id = v.call_id
            WHERE v.reference IN (SELECT value FROM json_each(?))""",  # noqa: S608 - constant
        (json.dumps([each.reference for each in conversions]),),
    )
    return {row[1]: row for row in rows}


async def _load_candidates(
    db: Database, conversions: Sequence[ConversionInput]
) -> defaultdict[str, list[CallCandidate]]:
    """The missed calls to campaigns that the conversions may refer to, by CallSid and by number."""
    candidates: defaultdict[str, list[CallCandidate]] = defaultdict(list)
    sids = [each.call_sid for each in conversions if each.call_sid]
    numbers = sorted({each.number for each in conversions if each.number and not each.call_sid})
    for column, wanted in (("call_sid", sids), ("caller", numbers)):
        rows = await db.fetch_all(
            f"""SELECT c.id, c.call_sid, c.campaign, c.caller, c.called_at, l.id
                FROM calls c LEFT JOIN leads l ON l.campaign = c.campaign AND l.number = c.caller
                WHERE c.{column} IN (SELECT value FROM json_each(?)) AND c.verdict IN ({_COUNTED})
                  AND c.campaign IS NOT NULL AND c.caller IS NOT NULL""",  # noqa: S608 - constants
            (json.dumps(wanted),),
        )
        for call_id, sid, campaign, caller, called_us, lead_id in rows:
            call = CallCandidate(call_id, sid, campaign, caller, from_us(called_us), lead_id)
            candidates[sid if column == "call_sid" else caller].append(call)
    return candidates
