"""Mistakes in the tables that hold for the whole site, and the problem that each one is."""

from __future__ import annotations

from tests.config.samples import CALLBACK, CAMPAIGN, SITE

# Mistakes: the file, the key, a part of the reason, the suggestion.
SITE_MISTAKES: dict[str, tuple[str, str, str, str | None]] = {
    "unknown table": (SITE + "[[campains]]\n", "campains", "unknown key", "campaign"),
    "unknown key": (CALLBACK + "dely = 1\n", 'campaign "a": callback.dely', "unknown key", "delay"),
    "a key of another table": (
        CAMPAIGN + 'delay = "30s"\n',
        'campaign "a": delay',
        "unknown key here: it belongs in [campaign.callback]",
        None,
    ),
    "a key of the table above": (
        CALLBACK + 'dedup_window = "5m"\n',
        'campaign "a": callback.dedup_window',
        "unknown key here: it belongs in [[campaign]]",
        None,
    ),
    "a key of the file below a table": (
        CALLBACK + 'timezone = "Asia/Kolkata"\n',
        'campaign "a": callback.timezone',
        "unknown key here: it belongs at the top of the file, before the first table",
        None,
    ),
    "a key of two tables": (
        CAMPAIGN + "max_per_hour = 1\n",
        'campaign "a": max_per_hour',
        "unknown key here: it belongs in [campaign.callback] or in [campaign.verify]",
        None,
    ),
    "unknown and like nothing": (SITE + "zzz = 1\n", "exotel.zzz", "unknown key", None),
    "odd key": (SITE + '"a b" = 1\n', "exotel.'a b'", "unknown key", None),
    "unknown key of a poll": (
        SITE + '[[poll]]\nname = "x"\nkeeps = 1\n',
        'poll "x": keeps',
        "unknown key",
        "keep",
    ),
    "secret": (SITE + 'api_token = "x"\n', "exotel.api_token", "EXOTEL_API_TOKEN", None),
    "one campaign": (SITE + "[campaign]\n", "campaign", "[[campaign]]", None),
    "several callbacks": (
        CAMPAIGN + "[[campaign.callback]]\n",
        'campaign "a": callback',
        "must be a table",
        None,
    ),
    "no table": (CAMPAIGN + "sms = true\n", 'campaign "a": sms', "must be a table, not true", None),
    "no sid": ("[exotel]\n", "exotel.account_sid", "is required", None),
    "no exotel": ("", "exotel.account_sid", "is required", None),
    "sid like a path": ('exotel.account_sid = "a/b"', "exotel.account_sid", "letters and digits", None),
    "a flag in quotes": (SITE + 'catch_up = "no"\n', "exotel.catch_up", "must be true or false", None),
    "erased too soon": (
        SITE + '[retention]\nerase_after = "29d23h"\n',
        "retention.erase_after",
        "at least 30d",
        None,
    ),
    "erased in a thousand years": (
        SITE + '[retention]\nerase_after = "365000d"\n',
        "retention.erase_after",
        "at most 3660d",
        None,
    ),
    "no such retention": (
        SITE + '[retention]\nerase = "400d"\n',
        "retention.erase",
        "unknown key",
        "erase_after",
    ),
    "budget of nothing": (SITE + "calls_per_minute = 0\n", "exotel.calls_per_minute", "at least 1", None),
    "budget of truth": (
        SITE + "sms_per_minute = true\n",
        "exotel.sms_per_minute",
        "whole number, not true",
        None,
    ),
    "budget of half": (SITE + "sms_per_minute = 0.5\n", "exotel.sms_per_minute", "whole number", None),
    "api without scheme": (SITE + 'api_base = "api.exotel.com"\n', "exotel.api_base", "http://", None),
    "api with key": (SITE + 'api_base = "https://k:t@api.exotel.com"\n', "exotel.api_base", "secrets", None),
    "time zone": ('timezone = "Asia/Kolkatta"' + SITE, "timezone", "is not a time zone", "Asia/Kolkata"),
    "time zone's nickname": ('timezone = "IST"' + SITE, "timezone", "is not a time zone", "Asia/Kolkata"),
    "time zone's folder": ('timezone = "Asia"' + SITE, "timezone", "is not a time zone", None),
    "path for a zone": ('timezone = "../etc"' + SITE, "timezone", "is not a time zone", None),
    "store in memory": (SITE + '[store]\npath = ":memory:"\n', "store.path", "the name of a file", None),
    "unix": ('[listen]\npublic = "unix:run/x"\n' + SITE[9:], "listen.public", "absolute path", None),
    "long unix": (f'[listen]\npublic = "unix:/{"x" * 107}"\n' + SITE[9:], "listen.public", "107 bytes", None),
    "private unix": (
        '[listen]\nprivate = "unix:/run/x"\n' + SITE[9:],
        "listen.private",
        "only the public",
        None,
    ),
    "port only": ('[listen]\nprivate = ":8081"\n' + SITE[9:], "listen.private", "host:port", None),
    "port too high": ('[listen]\nprivate = "a:70000"\n' + SITE[9:], "listen.private", "host:port", None),
    "bad ipv6": ('[listen]\nprivate = "[::g]:1"\n' + SITE[9:], "listen.private", "host:port", None),
    "port as a number": ("[listen]\nprivate = 8081\n" + SITE[9:], "listen.private", "string", None),
    "both the same": ('[listen]\nprivate = "127.0.0.1:8080"\n' + SITE[9:], "listen.private", "same", None),
    **{
        f"private host {host}": (f"[listen]\nprivate_hosts = [{host}]\n" + SITE[9:], key, why, None)
        for host, key, why in (
            ('"a.in:8081"', "listen.private_hosts[0]", "host name without port"),
            ('"https://a.in"', "listen.private_hosts[0]", "host name without port"),
            ('"*.a.in"', "listen.private_hosts[0]", "host name without port"),
            ("7", "listen.private_hosts[0]", "host name without port"),
            ('"a.in", "A.in."', "listen.private_hosts[1]", "already in the list"),
        )
    },
    "private hosts as text": (
        '[listen]\nprivate_hosts = "a.in"\n' + SITE[9:],
        "listen.private_hosts",
        "must be an array",
        None,
    ),
    "public url": (SITE.replace("https:", "ftp:"), "listen.public_url", "http://", None),
    "public url's query": (SITE.replace(".in", ".in?a=b"), "listen.public_url", "query", None),
}
