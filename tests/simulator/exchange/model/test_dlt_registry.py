"""The registry takes and lets pass what India's operators do; it and the daemon agree by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.sms.dlt import literal_tokens, match_variables, matches_template
from simulator.exchange.model.dlt_registry import applet_rejection_code, dlt_rejection_code
from simulator.exchange.model.dlt_variables import registration_error
from simulator.exchange.model.settings import DltTemplate
from simulator.scenario.loader import load_scenario
from simulator.scenario.scenario import ScenarioError

TYPES = ("numeric", "alphanumeric", "url", "urlott", "cbn", "email")


def code(template: str, body: str, *, strict: bool = False) -> int | None:
    return dlt_rejection_code([DltTemplate("9", "1", template)], "9", "1", body, strict=strict)


@pytest.mark.parametrize(
    ("template", "body", "expected"),
    [
        ("Rs {#numeric#}.", "Rs 500.", None),
        ("Rs {#numeric#}.", "Rs 1,500.", 23185),
        ("Rs {#numeric#}.", "Rs .", 23185),
        ("On {#alphanumeric#}.", "On weekdays.", None),
        ("On {#alphanumeric#}.", "On 10:31.", None),
        ("On {#alphanumeric#}.", f"On {'x' * 41}.", 23185),
        ("Visit {#url#}.", "Visit https://example.in/x?y=1.", None),
        ("Visit {#url#}.", "Visit us.", 23185),
        ("Get {#urlott#}", "Get market://details?id=x", None),
        ("Ring {#cbn#}", "Ring 1800 123 4567", None),
        ("Ring {#cbn#}", "Ring 10:31", 23185),
        ("Write {#email#}", "Write care@example.in", None),
        ("Write {#email#}", "Write to us", 23185),
        ("Dear {#var#}", f"Dear {'x' * 29}", None),
        ("Dear {#var#}", f"Dear {'x' * 30}", 23185),
    ],
)
def test_a_value_is_judged_by_its_type(template: str, body: str, expected: int | None) -> None:
    assert code(template, body) == expected
    assert applet_rejection_code([DltTemplate("9", "1", template)], body) == expected


def test_portals_differ_about_other_characters() -> None:
    for body, strictly in (
        ("At 10:31", 23185),
        ("At सोमवार 10", None),
        ("At_10", 23185),
        ("At 10_31", 23185),
    ):
        assert code("At{#alphanumeric#}", body) is None
        assert code("At{#alphanumeric#}", body, strict=True) == strictly


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{#numeric#} {#url#}", None),
        ("{#var#}{#var#}", None),
        ("{#var#}{#url#}", "right behind"),
        ("{#numeric#}{#numeric#}", "right behind"),
        ("{#number#}", "has {#number#}, which is no type"),
        ("{#Numeric#}", "which is no type"),
    ],
)
def test_what_is_not_registered(text: str, mistake: str | None) -> None:
    found = registration_error(text)
    assert found is None if mistake is None else mistake in str(found)
    if mistake is None:
        assert DltTemplate("9", "1", text).text == text
    else:
        with pytest.raises(ValueError, match=r"^text has "):
            DltTemplate("9", "1", text)


@pytest.mark.parametrize(
    "setting", ["[exchange]\n{templates}\n", '[[at]]\ntime = "+1m"\nexchange = {{ {templates} }}\n']
)
def test_a_scenario_says_which_template_cannot_be_registered(setting: str, tmp_path: Path) -> None:
    templates = 'templates = [{ entity_id = "9", template_id = "1", text = "Dear {#number#}" }]'
    file = tmp_path / "scenario.toml"
    file.write_text(
        'about = "x"\nstart = 2026-11-23T11:00:00+05:30\nuntil = "1h"\nseed = 1\n'
        + setting.format(templates=templates)
        + '[daemon]\n[[expect]]\nwhat = "texts"\nnever = true\n'
    )
    with pytest.raises(
        ScenarioError, match=r"exchange\.templates.*\{#number#\}, which is no type of variable"
    ):
        load_scenario(file)


VALUES = (
    *(
        "500",
        "10:31",
        "+919811100001",
        "1800 123",
        "weekdays",
        "Mon-Fri",
        "सोमवार",
        "x" * 29,
        "x" * 40,
        "x" * 41,
    ),
    *(
        "https://example.in",
        "example.in/x?y=z",
        "https://example",
        "www.exa-mple.co.in:80/",
        "Rs.500",
        "a.b_c.in",
    ),
    *(
        "market://x",
        "care@example.in",
        "care@example",
        "a b@example.in",
        "12",
        "1-2-3",
        "12  345",
        "A 1, B 2",
    ),
)


@given(
    st.lists(
        st.sampled_from(VALUES) | st.text(alphabet="a1 .:@/", min_size=1, max_size=12), min_size=1, max_size=3
    ),
    st.lists(st.sampled_from((*TYPES, "var")), min_size=3, max_size=3),
)
def test_the_daemon_sends_what_passes(values: list[str], types: list[str]) -> None:
    template = " / ".join(f"{{#{name}#}}" for _, name in zip(values, types, strict=False))
    body = " / ".join(values)
    assert matches_template(literal_tokens(body), template) == (code(template, body) is None)
    found = match_variables(literal_tokens(body), template) or ()
    if code(template, body) is None and not any(value.check.questionable for value in found):
        assert code(template, body, strict=True) is None
