"""What becomes of an SMS: by the person, by its class, and by what their operator thinks of it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.model.people import Person, SmsDeliveryResult
from simulator.exchange.model.sms_codes import CODE_OF_RESULT, DELIVERED_CODES, SMS_STATES

CUSTOMER = "+919876543210"


async def _codes(bench: Any, *sent: dict[str, str]) -> list[int]:
    for fields in sent:
        await bench.sms(**fields)
        await trio.sleep(60)
    return [text.code for text in bench.exchange.ground_truth.texts]


async def test_the_register_stops_promotional_texts_only(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.people.add(Person(CUSTOMER, sms=SmsDeliveryResult.DND))
    kinds = ("promotional", "transactional", "transactional_opt_in")
    assert await _codes(bench, *({"SmsType": kind} for kind in kinds)) == [23005, 20005, 20005]
    first, second, _ = bench.exchange.ground_truth.texts
    assert (first.delivered, second.delivered) == (False, True)


async def test_opting_out_of_one_sender(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.people.add(Person(CUSTOMER, opted_out_of=("EXAMPL",)))
    assert await _codes(bench, {}, {"From": "OTHERS"}) == [23020, 20005]


@pytest.mark.parametrize("number", ["+918047120009", "+911800123456"])
async def test_fixed_lines_take_no_sms(bench: Any, autojump_clock: MockClock, number: str) -> None:
    assert await _codes(bench, {"To": number}) == [23010]


@pytest.mark.parametrize("word", list(SmsDeliveryResult))
async def test_every_word_is_one_code(bench: Any, autojump_clock: MockClock, word: SmsDeliveryResult) -> None:
    bench.exchange.people.add(Person(CUSTOMER, sms=word))
    (code,) = await _codes(bench, {"SmsType": "promotional", "StatusCallback": "http://daemon.test/sms"})
    assert code == CODE_OF_RESULT[word]
    form = bench.posted_form()
    assert (form["DetailedStatusCode"], form["DetailedStatus"]) == (str(code), SMS_STATES[code][1])
    assert (form["Status"] == "sent") is (code in DELIVERED_CODES)
    assert len(set(CODE_OF_RESULT.values())) == len(SmsDeliveryResult)


def test_the_old_word_for_what_the_operator_has_taken() -> None:
    assert (
        SmsDeliveryResult("operator")
        is SmsDeliveryResult("delivered-to-operator")
        is SmsDeliveryResult.TO_OPERATOR
    )
    with pytest.raises(ValueError, match="'operater' is none of delivered, delivered-to-operator"):
        SmsDeliveryResult("operater")
