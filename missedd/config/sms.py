"""Reads the SMS of a campaign and compares each text with its registered template.

Mobile operators drop a text that differs from its template, and still bill it. So the check happens here,
offline: the named values, the length if each of them has its greatest length, and the template, character by
character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from missedd.config.dlt import check_template, template_warnings
from missedd.config.table import ConfigTable
from missedd.config.values import closest_match, toml_repr
from missedd.core.phone import normalise
from missedd.core.policy import Campaign, MessageClass, SmsPolicy
from missedd.core.sms.template import (
    MAX_SMS_LENGTH,
    BodyField,
    InvalidPlaceholder,
    fields_in,
    largest_sms,
    parse_body,
)

DEFAULT_SMS_GIVE_UP_AFTER = timedelta(hours=24)

DLT_ID_DIGITS = 19
"""The length of an entity id and of a template id."""

_FIELD_NAMES = ", ".join(f"{{{each}}}" for each in BodyField)


@dataclass(frozen=True, slots=True)
class AllowedFields:
    """Which facts the texts of a campaign may mention, besides the call itself."""

    option: str | None
    """The option for which a call votes; None without [campaign.vote]."""
    has_hours: bool


def read_sms(
    table: ConfigTable | None,
    inherited: SmsPolicy | None,
    allowed: AllowedFields,
    *,
    after_hours: bool = False,
) -> SmsPolicy | None:
    """An SMS. After hours, an absent sender, entity or class is taken from the campaign's ordinary SMS
    (`inherited`)."""
    if table is None:
        return None
    sender = table.text("sender", required=not after_hours, max_length=20)
    if after_hours and inherited is None and not table.has("sender"):
        table.problem("sender", "is required, because there is no [campaign.sms] to take it from")
    entity = table.identifier("dlt_entity_id", r"\d{1,25}", "a DLT entity id, digits in quotes")
    sms = SmsPolicy(
        sender=sender or (inherited.sender if inherited else ""),
        # A brace is written twice, so the body may be longer than the SMS.
        body=table.text("body", required=True, max_length=2 * MAX_SMS_LENGTH, multiline=True) or "",
        dlt_entity_id=entity or (inherited.dlt_entity_id if inherited else None),
        # A template belongs to one text, so it is never inherited.
        dlt_template_id=table.identifier(
            "dlt_template_id", r"\d{1,25}", "a DLT template id, digits in quotes"
        ),
        message_class=table.choice("message_class", MessageClass)
        or (inherited.message_class if inherited else MessageClass.SERVICE),
        give_up_after=table.duration("give_up_after")
        or (inherited.give_up_after if inherited else DEFAULT_SMS_GIVE_UP_AFTER),
        dlt_template=table.text("dlt_template", max_length=MAX_SMS_LENGTH, multiline=True),
    )
    if sms.body:
        _check_body(table, sms, allowed)
    return sms


def _check_body(table: ConfigTable, sms: SmsPolicy, allowed: AllowedFields) -> None:
    _, mistakes = parse_body(sms.body)
    for mistake in mistakes:
        table.problem("body", *_describe_mistake(mistake))
    named = fields_in(sms.body)
    if BodyField.OPENING in named and not allowed.has_hours:
        table.problem("body", "contains {opening}, but without [campaign.hours] the campaign is always open")
    for name in (
        each for each in (BodyField.LEADERBOARD, BodyField.OPTION) if each in named and allowed.option is None
    ):
        table.problem("body", f"contains {{{name}}}, but the campaign has no [campaign.vote]")
    size = largest_sms(sms.body, allowed.option, ())
    if size.characters > MAX_SMS_LENGTH:
        longest = "" if size.is_fixed else " when each value has its greatest length"
        table.problem(
            "body", f"must have at most {MAX_SMS_LENGTH} characters, not {size.characters}{longest}"
        )
    if sms.dlt_template is not None:
        check_template(table, None if mistakes else sms.body, sms.dlt_template, allowed.option)


def _describe_mistake(mistake: InvalidPlaceholder) -> tuple[str, str | None]:
    """What is wrong in the braces, and what was probably meant (None if that is unclear)."""
    where = f"at character {mistake.at}"
    if mistake.name is None:
        return f"has a single brace {where}: write {{{{ or }}}} for a brace, or a name such as {{time}}", None
    if mistake.name.startswith("#"):
        return (
            f"has a placeholder of the template {where}: write the text itself, or one of {_FIELD_NAMES}",
            None,
        )
    reason = (
        f"has an unknown name {toml_repr(mistake.name)} {where}: the names are {_FIELD_NAMES}, "
        "and {{ is a brace"
    )
    return reason, closest_match(mistake.name, [each.value for each in BodyField])


def sms_warnings(campaign: Campaign) -> Iterator[str]:
    """What the SMS of an Indian campaign lack, and what the operators' portals may refuse in them."""
    is_for_india = any(number.startswith("+91") for number in campaign.exophones)
    for name, sms in configured_sms(campaign):
        if is_for_india:
            yield from _registration_warnings(campaign, sms, f"{campaign.label}: {name}")
        if sms.dlt_template is not None:
            option = campaign.vote.option if campaign.vote else None
            yield from template_warnings(f"{campaign.label}: {name}", sms.body, sms.dlt_template, option)


def _registration_warnings(campaign: Campaign, sms: SmsPolicy, key: str) -> Iterator[str]:
    is_inherited = sms is not campaign.sms and campaign.sms and campaign.sms.sender == sms.sender
    if not is_inherited and not _is_valid_sender(sms.sender):
        yield f"{key}.sender: is neither a DLT header, which has six letters or digits, nor an ExoPhone"
    ids = {"dlt_template_id": sms.dlt_template_id}
    if not (is_inherited and campaign.sms and campaign.sms.dlt_entity_id == sms.dlt_entity_id):
        ids["dlt_entity_id"] = sms.dlt_entity_id
    for name, digits in ids.items():
        if digits and len(digits) != DLT_ID_DIGITS:
            yield (
                f"{key}.{name}: has {len(digits)} digits instead of {DLT_ID_DIGITS}, so it is not a "
                "registered id and operators in India drop the SMS; copy the id from the DLT portal"
            )
    if not (sms.dlt_entity_id and sms.dlt_template_id):
        yield f"{key}: without both DLT ids, operators in India drop it unless Exotel has them"
    elif sms.dlt_template is None:
        yield f"{key}: without dlt_template its text is not compared with the registered text"


def _is_valid_sender(sender: str) -> bool:
    """Whether the provider may accept it: a header, an ExoPhone, or both with a slash between them, as Exotel
    shows them."""
    header = sender.rpartition("/")[2]
    return re.fullmatch(r"[A-Za-z0-9]{6}", header) is not None or normalise(header) is not None


def configured_sms(campaign: Campaign) -> Iterator[tuple[str, SmsPolicy]]:
    """The SMS of a campaign, each with the key of its table."""
    for key, sms in (("sms", campaign.sms), ("after_hours.sms", campaign.after_hours.sms)):
        if sms is not None:
            yield key, sms
