"""Every spelling of a number is the same caller, and junk is not a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.phone import is_plausible, mask, normalise, numbers_with_prefix, parse_prefix

MOBILE = "+919876543210"
EXOPHONE = "+918047120001"
DELHI = "+911140001234"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("09876543210", MOBILE),
        ("+919876543210", MOBILE),
        ("9876543210", MOBILE),
        ("919876543210", MOBILE),
        ("00919876543210", MOBILE),
        (" 919876543210", MOBILE),
        (" 09876543210", MOBILE),
        (" 00919876543210", MOBILE),
        (" 9876543210", MOBILE),
        ("919876543210 ", MOBILE),
        ("+09876543210", MOBILE),
        ("+00919876543210", MOBILE),
        ("+9109876543210", MOBILE),
        ("+91 98765 43210", MOBILE),
        ("+91-98765-43210", MOBILE),
        ("(+91) 98765.43210", MOBILE),
        ("+91\u00a098765\u201143210", MOBILE),
        ('"09876543210"', MOBILE),
        ("'+919876543210'", MOBILE),
        ("tel:+91-98765-43210;ext=12", MOBILE),
        ("TEL:9876543210", MOBILE),
        ("sip:+919876543210@10.0.0.1:5060", MOBILE),
        ("sip:09876543210@voip.example;transport=udp", MOBILE),
        ("sips:09876543210", MOBILE),
        ("sip: 919876543210@host", MOBILE),
        ('"Asha" <sip:+919876543210@host>;tag=1', MOBILE),
        ("9123456780", "+919123456780"),
        ("919123456780", "+919123456780"),
        ("08047120001", EXOPHONE),
        ("8047120001", EXOPHONE),
        ("080-4712 0001", EXOPHONE),
        ("01140001234", DELHI),
        ("911140001234", DELHI),
        ("1800123456", "+911800123456"),
        ("+447700900123", "+447700900123"),
        ("00447700900123", "+447700900123"),
        ("+1 (415) 555-0123", "+14155550123"),
        (" 14155550123", "+14155550123"),
        ("+6581234567", "+6581234567"),
        (" 6581234567", "+6581234567"),
        ("006581234567", "+6581234567"),
    ],
)
def test_spellings(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        " ",
        "null",
        "NULL",
        "anonymous",
        "Anonymous",
        "unknown",
        "restricted",
        "private",
        "+266696687",
        "0",
        "+",
        "00",
        "12345",
        "987654321",
        "98765432101",
        "0987654321",
        "0000000000",
        "00000000000",
        "+9198765432",
        "+9198765432101234567",
        "9" * 40,
        "1" * 1000,
        "+1234",
        "+999123456789",
        "sip:alice@example.com",
        "sip:anonymous@anonymous.invalid",
        "sip:agent9876543210@example.com",
        "<>",
        "98765x3210",
        "09876543210/EXAMPL",
        "09876543210,09876543211",
        "1-800-FLOWERS",
        "\x00",
        "\ud800",
    ],
)
def test_no_number(raw: str | None) -> None:
    assert normalise(raw) is None


UNSEEN = [
    *map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    *("\u2060", "\ufeff", "\ufe0e", "\ufe0f", "\U000e0100", "\u00ad", "\u061c"),
]


@pytest.mark.parametrize("unseen", UNSEEN, ids=lambda unseen: f"U+{ord(unseen):04X}")
@pytest.mark.parametrize("spelt", ["+91 98765 43210", "09876543210", "9876543210", "+919876543210"])
def test_characters_that_show_nothing_are_no_part_of_a_number(spelt: str, unseen: str) -> None:
    assert normalise(unseen + spelt + unseen) == MOBILE
    assert normalise(unseen.join(spelt)) == MOBILE


@pytest.mark.parametrize(
    "raw",
    [
        "９８７６５４３２１０",
        "＋９１９８７６５４３２１０",
        "＋９１（９８７６５）４３２１０",
        "０９８７６５－４３２１０",
        "　９８７６５　４３２１０",
        "\u202a＋９１ ９８７６５ ４３２１０\u202c",
        "९८७६५४३२१०",
        "+९१ ९८७६५४३२१०",
    ],
)
def test_digits_of_another_width_or_script_are_read_as_what_they_show(raw: str) -> None:
    assert normalise(raw) == MOBILE


@pytest.mark.parametrize("raw", ["\u200b", "\ufeff\u2060", "²³⁴⁵⁶⁷⁸⁹⁰¹", "\u2067anonymous\u2069"])
def test_what_shows_no_number_is_none(raw: str) -> None:
    assert normalise(raw) is None


def test_a_stray_plus_before_ten_digits_is_not_guessed() -> None:
    """It may be an Indian mobile number, or a number in Iran that would be called by mistake."""
    assert normalise("+9876543210") is None


def test_another_region_reads_its_own_numbers() -> None:
    assert normalise("07911 123456", region="GB") == "+447911123456"
    assert normalise("+919876543210", region="GB") == MOBILE


@given(st.text(max_size=40) | st.from_regex(r"\A[ +0]{0,3}[0-9 ()-]{3,16}\Z"))
def test_is_idempotent_and_spells_e164(raw: str) -> None:
    number = normalise(raw)
    if number is not None:
        assert normalise(number) == number
        assert number[0] == "+"
        assert number[1:].isascii()
        assert number[1:].isdecimal()
        assert 5 <= len(number) <= 16


@given(
    st.from_regex(r"\A[6-9][0-9]{9}\Z"), st.sampled_from(["", "0", "91", "+91", "0091", " 91", "+0", "sip:0"])
)
def test_every_prefix_of_a_mobile_means_the_same(subscriber: str, prefix: str) -> None:
    assert normalise(prefix + subscriber) == "+91" + subscriber


@pytest.mark.parametrize(
    ("number", "shown"),
    [(MOBILE, "…3210"), ("09876543210", "…3210"), ("3210", "…"), ("", "…"), (None, "…"), ("43210", "…3210")],
)
def test_mask_shows_four_digits(number: str | None, shown: str) -> None:
    assert mask(number) == shown


@pytest.mark.parametrize(
    "number", [MOBILE, EXOPHONE, DELHI, "+912345678901", "+911800123456", "+442079460000"]
)
def test_a_number_of_its_country_is_credible(number: str) -> None:
    assert normalise(number) == number
    assert is_plausible(number)


@pytest.mark.parametrize("number", ["+91919876543210", "+9198765432101", "+4420794600"])
def test_one_of_a_wrong_length_or_with_its_country_twice_is_not(number: str) -> None:
    assert normalise(number) == number
    assert not is_plausible(number)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("+232*", "+232*"),
        ("00232*", "+232*"),
        ("+91 98765*", "+9198765*"),
        ("＋２３２*", "+232*"),
        ("\u200b+232*", "+232*"),
        ("+1*", "+1*"),
        (" 232*", "+232*"),  # a form decoder turned the plus into a space
        ("+*", None),
        ("*", None),
        ("232*", None),
        ("080*", None),
        ("+0*", None),
        ("+232**", None),
        ("+2*32", None),
        ("+232", None),
        (MOBILE, None),
        ("+1234567890123456*", None),
    ],
)
def test_a_prefix_says_its_country_code(raw: str, expected: str | None) -> None:
    assert parse_prefix(raw) == expected
    if expected is not None:
        assert parse_prefix(expected) == expected
        assert normalise(raw) is None


def test_whom_a_prefix_covers() -> None:
    numbers = ["+23276123456", "+23312345678", "+232", MOBILE]
    assert numbers_with_prefix("+232*", numbers) == ["+23276123456", "+232"]
