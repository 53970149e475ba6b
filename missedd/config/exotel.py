"""Reads `[exotel]`: the account, the address of the API, and the account's limits."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from missedd.config.listen import ListenSettings
from missedd.config.table import ConfigTable
from missedd.config.urls import is_loopback, read_url
from missedd.security.host_names import parse_ip

DEFAULT_API_BASE = "https://api.in.exotel.com"


@dataclass(frozen=True, slots=True)
class ExotelSettings:
    account_sid: str
    api_base: str
    """Without a slash at the end."""
    calls_per_minute: int
    sms_per_minute: int
    channels: int | None = None
    """How many legs of our calls may be up at once; None if the account has no such limit."""
    catch_up: bool = True
    """Whether Exotel's list of incoming calls is read, to find calls that no webhook reported."""


def read_exotel(table: ConfigTable) -> ExotelSettings:
    meaning = "the account's SID, letters and digits"
    return ExotelSettings(
        account_sid=table.identifier("account_sid", r"[A-Za-z0-9_.-]{1,64}", meaning, required=True) or "",
        api_base=(read_url(table, "api_base") or DEFAULT_API_BASE).rstrip("/"),
        calls_per_minute=table.integer("calls_per_minute") or 200,
        sms_per_minute=table.integer("sms_per_minute") or 200,
        channels=table.integer("channels"),
        catch_up=table.boolean("catch_up", default=True),
    )


def is_public_url_unreachable(listen: ListenSettings, exotel: ExotelSettings) -> bool:
    """Whether the real Exotel would have to report to an address that only this machine can reach."""
    host = urlsplit(listen.public_url).hostname or ""
    outside = not is_loopback(urlsplit(exotel.api_base).hostname or "")
    address = parse_ip(host)
    return outside and (is_loopback(host) or (address is not None and address.is_unspecified))
