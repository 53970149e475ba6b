"""Problems of a DLT template, and of a text that is compared with it, are reported with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from missedd.config.loader import InvalidConfig, load_settings

BASE = """
[listen]
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
[[campaign]]
name = "shop"
exophones = ["{exophone}"]
[campaign.hours]
open = "daily 09:30-18:30"
[campaign.sms]
sender = "EXAMPL"
body = {body}
dlt_entity_id = "1101000000000000000"
dlt_template_id = "1107000000000000002"
dlt_template = {template}
"""
VOTE = """[campaign.vote]
poll = "singer"
option = "{option}"
[[poll]]
name = "singer"
"""
SECRETS = {"EXOTEL_API_KEY": "key", "EXOTEL_API_TOKEN": "token", "MISSEDD_WEBHOOK_TOKEN": "abcdefghijklmnop"}


def said(
    body: str, template: str, folder: Path, *, option: str = "", exophone: str = "+918047120001"
) -> tuple[list[str], list[str]]:
    """The problems and the warnings of a configuration."""
    text = BASE.format(body=f'"{body}"', template=f'"{template}"', exophone=exophone)
    file = folder / "missedd.toml"
    file.write_text(text + (VOTE.format(option=option) if option else ""), "utf-8")
    try:
        return [], list(load_settings(file, SECRETS).warnings)
    except InvalidConfig as failure:
        return [str(each).removeprefix(f"{file}: ") for each in failure.problems], []


@pytest.mark.parametrize(
    ("body", "template"),
    [
        (
            "We are open on weekdays. Visit https://example.in",
            "We are open on {#alphanumeric#}. Visit {#url#}",
        ),
        ("You rang on {date}.", "You rang on {#alphanumeric#}."),
        ("Rs 500 is due. Ring 1800 123 4567", "Rs {#numeric#} is due. Ring {#cbn#}"),
        ("Write to care@example.in", "Write to {#email#}"),
        ("Get https://example.in/{caller}", "Get {#urlott#}"),
        ("You rang at {time}.", "You rang at {#var#}."),
        ("{date} {date}", "{#var#} {#alphanumeric#}"),
    ],
)
def test_what_is_well(body: str, template: str, tmp_path: Path) -> None:
    assert said(body, template, tmp_path) == ([], [])


@pytest.mark.parametrize(
    ("body", "template", "problem"),
    [
        (
            "You rang at {time}.",
            "You rang at {#numeric#}.",
            "campaign \"shop\": sms.body: has '{time}' (such as '10:31') at character 13 for variable 1 of "
            "dlt_template, {#numeric#}: it is not digits only; write digits, or register {#alphanumeric#} "
            "there",
        ),
        (
            "On {date}, {caller} rang.",
            "On {#alphanumeric#}, {#numeric#} rang.",
            "campaign \"shop\": sms.body: has '{caller}' (such as '+919800000001') at character 12 for",
        ),
        (
            "Rs 1,500 is due",
            "Rs {#numeric#} is due",
            "campaign \"shop\": sms.body: has '1,500' at character 4 for variable 1 of",
        ),
        ("Visit our shop", "Visit {#url#}", "it is not a web address; write an address such as https"),
        ("Visit our shop", "Visit {#urlott#}", "it is not a web address or an app's link; write"),
        (
            "Ring us at {opening}",
            "Ring us at {#cbn#}",
            "it is not a phone number; write a number such as 18001234567",
        ),
        ("Write to us", "Write to {#email#}", "it is not an e-mail address; write an address such as care@"),
        (
            "Open {caller} {date} {opening}.",
            "Open {#alphanumeric#}.",
            "(such as '+999999999999999 23 Nov 2026 Tue 24 Nov 09:30') at character 6 for variable 1 of "
            "dlt_template, {#alphanumeric#}: it is longer than the 40 characters of a {#alphanumeric#}",
        ),
        (
            "Hi 5",
            "Hi {#number#}",
            "campaign \"shop\": sms.dlt_template: has '{#number#}', which is not a type of variable: the "
            "types are {#var#}, {#numeric#}, {#alphanumeric#}, {#url#}, {#urlott#}, {#cbn#}, {#email#}; "
            "did you mean '{#numeric#}'?",
        ),
        ("Hi x", "Hi {#alpha#}", "did you mean '{#alphanumeric#}'?"),
        ("Hi x", "Hi {# URL #}", "did you mean '{#url#}'?"),
        ("Hi x", "Hi {#e-mail#}", "did you mean '{#email#}'?"),
        (
            "Hi 5a",
            "Hi {#numeric#}{#alphanumeric#}",
            'campaign "shop": sms.dlt_template: has {#numeric#}{#alphanumeric#} at character 4: operators '
            "refuse two variables next to each other if one of them has a type; register the template with",
        ),
        ("Hi 5a", "Hi {#var#}{#numeric#}", "has {#var#}{#numeric#} at character 4: operators refuse"),
        (
            "Bye {time}",
            "Hi {#numeric#}",
            "differs from dlt_template: the text continues with 'Bye {time}' (character 1)",
        ),
    ],
)
def test_what_all_operators_refuse_is_a_problem(
    body: str, template: str, problem: str, tmp_path: Path
) -> None:
    problems, _ = said(body, template, tmp_path)
    assert problem in problems[0], problems


def test_every_wrong_value_is_named(tmp_path: Path) -> None:
    problems, _ = said("{time} {caller}, {date}", "{#numeric#} {#numeric#}, {#url#}", tmp_path)
    assert [each.split("for ")[1].split(":")[0] for each in problems] == [
        "variable 1 of dlt_template, {#numeric#}",
        "variable 2 of dlt_template, {#numeric#}",
        "variable 3 of dlt_template, {#url#}",
    ]


@pytest.mark.parametrize("exophone", ["+918047120001", "+97142345678"])
@pytest.mark.parametrize(
    ("body", "template", "warning"),
    [
        (
            "You rang at {time}.",
            "You rang at {#alphanumeric#}.",
            "campaign \"shop\": sms.body: has '{time}' (such as '10:31') at character 13 for variable 1 of "
            "dlt_template, {#alphanumeric#}: some portals refuse ':' there, because they accept only "
            "letters, digits and blanks; ask your portal, or register that part as text",
        ),
        (
            "{caller} rang.",
            "{#alphanumeric#} rang.",
            "'{caller}' (such as '+919800000001') at character 1 for",
        ),
        ("{caller} rang.", "{#alphanumeric#} rang.", "some portals refuse '+' there"),
        ("Open Mon-Fri, 9-5.", "Open {#alphanumeric#}.", "has 'Mon-Fri, 9-5' at character 6 for variable 1"),
        ("Open Mon-Fri, 9-5.", "Open {#alphanumeric#}.", "some portals refuse '-', ',' there"),
        (
            "Ring {caller}",
            "Ring {#cbn#}",
            "operators accept only registered numbers, and this number differs",
        ),
        (
            "{date}{time}",
            "{#var#}{#var#}",
            'campaign "shop": sms.dlt_template: has {#var#}{#var#} at character 1: some operators refuse '
            "two variables next to each other; register the template with some text between them",
        ),
        (
            "Hi  you",
            "Hi  you",
            "dlt_template: has several blanks in a row (character 3): the portal may have changed this",
        ),
        (" Hi", " Hi", "dlt_template: has a blank at its beginning (character 1)"),
        ("Hi ", "Hi ", "dlt_template: has a blank at its end (character 3)"),
        ("a\\nb\\n", "a\\nb\\n", "dlt_template: has a line feed (character 2, 4)"),
        ("a\\tb", "a\\tb", "dlt_template: has a tab or a blank of another kind (character 2)"),
        ("a\u00a0b", "a\u00a0b", "dlt_template: has a tab or a blank of another kind (character 2)"),
    ],
)
def test_what_some_refuse_is_a_warning(
    body: str, template: str, warning: str, exophone: str, tmp_path: Path
) -> None:
    problems, (found,) = said(body, template, tmp_path, exophone=exophone)
    assert not problems
    assert warning in found


@pytest.mark.parametrize(
    ("option", "template", "problem"),
    [
        ("7", "{#numeric#}", None),
        ("Asha", "{#numeric#}", "it is not digits only"),
        ("x" * 40, "{#alphanumeric#}", None),
        ("x" * 41, "{#alphanumeric#}", "longer than the 40 characters of a {#alphanumeric#}"),
        ("x" * 30, "{#var#}", "longer than the 29 characters of a {#var#}; shorten it"),
    ],
)
def test_an_option_is_judged_as_it_is(
    option: str, template: str, problem: str | None, tmp_path: Path
) -> None:
    problems, warnings = said("{option}", template, tmp_path, option=option)
    assert warnings == []
    assert problems == [] if problem is None else problem in problems[0]
