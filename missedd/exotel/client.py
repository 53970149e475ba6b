"""Exotel as the daemon uses it: ask for a call or an SMS, and look up what became of one.

    POST …/Calls/connect.json   200 {"Call": {"Sid": …}}               -> Answer
    POST …/Sms/send.json        200 {"SMSMessage": {"Sid": …}}         -> Answer
    GET  …/Calls/<sid>.json     {"Call": {…, "Details": {…}}}          -> StatusReport
    GET  …/SMS/Messages/<sid>.json   {"SMSMessage": {…}}, or the words `No matching results`
    GET  …/Calls.json           {"Metadata": {"NextPageUri": …}, "Calls": [{…}, …]}

What an answer means is decided in `codes`, what happens on the way in `transport`. A look-up never
guesses: it tells a fact, or is `Unavailable`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any, assert_never
from urllib.parse import quote

import httpx

from missedd.base.clock import Clock
from missedd.core.model import StatusReport
from missedd.core.reasons import Reason
from missedd.exotel.call_list import (
    MAX_FILTER_NUMBERS,
    CallRecord,
    IncomingPage,
    ListPage,
    PageQuery,
    parse_page,
    parse_record,
    query_from_numbers,
    query_incoming,
)
from missedd.exotel.incoming_call_record import ListedCall, parse_listed_call
from missedd.exotel.request_forms import OutgoingCall, OutgoingSms, call_form, sms_form
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.exotel.response_body import has_error, parse_body, parse_json_object
from missedd.exotel.response_codes import Api, interpret_response
from missedd.exotel.status_report_parser import parse_call_record, parse_sms_record
from missedd.exotel.transport import ExotelAccount, ExotelReply, Transport, new_exotel_client

__all__ = [
    "CallRecord",
    "ExotelAccount",
    "ExotelClient",
    "OutgoingCall",
    "OutgoingSms",
    "Unavailable",
    "new_exotel_client",
]

MAX_PAGES = 5
"""500 calls to five numbers in the minutes that a look-up asks about: more than anybody makes."""

_NO_SUCH_SMS = "no matching results"

type AcquireTurn = Callable[[], Awaitable[object]]
"""Awaited before each request of a look-up that takes several: every page is a request of its own."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A look-up that told nothing. `reason` is NOT_FOUND where Exotel says there is no such thing."""

    code: str
    reason: Reason
    message: str = ""
    retry_after_s: float | None = None


class ExotelClient:
    """Exotel's v1 API for one account. Safe to use from many tasks at once.

    `http` is this client's alone (see `new_http`) and is closed by whoever made it.
    """

    def __init__(self, http: httpx.AsyncClient, account: ExotelAccount, clock: Clock) -> None:
        self._account_sid = account.sid
        self._clock = clock
        self._transport = Transport(http, account)

    async def place_call(self, call: OutgoingCall) -> Answer:
        """Ask for a call. Accepted means taken, not answered."""
        return await self._request(Api.VOICE, "/Calls/connect.json", call_form(call, self._account_sid))

    async def send_sms(self, sms: OutgoingSms) -> Answer:
        """Ask for an SMS. Accepted means taken, not delivered."""
        return await self._request(Api.SMS, "/Sms/send.json", sms_form(sms))

    async def call_details(self, sid: str) -> StatusReport | Unavailable:
        """What became of a call; not final until minutes after it ended."""
        path = f"/Calls/{quote(sid, safe='')}.json"
        found = _map_404(await self._look_up(Api.VOICE, path, {"details": "true"}))
        return found if isinstance(found, Unavailable) else _require_sid(parse_call_record(found))

    async def sms_details(self, sid: str) -> StatusReport | Unavailable:
        """What became of an SMS. Of one it doesn't know, Exotel says so with a 200."""
        found = _map_404(await self._look_up(Api.SMS, f"/SMS/Messages/{quote(sid, safe='')}.json", {}))
        return found if isinstance(found, Unavailable) else _require_sid(parse_sms_record(found))

    async def incoming_calls(
        self, since: datetime, until: datetime, page: PageQuery | None = None
    ) -> IncomingPage | Unavailable:
        """A page of the account's incoming calls from `since` to `until`, a month at most, oldest first.

        One request. `page` is the `next_query` of the page before. All of the account's calls are
        listed, not only those to our ExoPhones.
        """
        # Nothing is said of whether the next page's address keeps `details`.
        found = await self._fetch_page({**(page or query_incoming(since, until)), "details": "true"})
        if isinstance(found, Unavailable):
            return found
        incoming = (parse_listed_call(each) for each in found.entries)
        return IncomingPage(tuple(each for each in incoming if each is not None), found.next_query)

    async def incoming_call(self, sid: str) -> ListedCall | Unavailable:
        """An incoming call with its details, where the list left them out."""
        path = f"/Calls/{quote(sid, safe='')}.json"
        found = _map_404(await self._look_up(Api.VOICE, path, {"details": "true"}))
        if isinstance(found, Unavailable):
            return found
        return parse_listed_call(found) or _unreadable("the record has no Sid")

    async def find_calls(
        self, *, numbers: tuple[str, ...], since: datetime, until: datetime, acquire_turn: AcquireTurn
    ) -> tuple[CallRecord, ...] | Unavailable:
        """The calls made from any of `numbers` (E.164, as sent in `From`) from `since` to `until`.

        Complete or Unavailable: an empty tuple means that Exotel lists none. A call appears in the
        list some seconds after it was made.
        """
        records: list[CallRecord] = []
        for chunk in batched(numbers, MAX_FILTER_NUMBERS, strict=False):
            entries = await self._fetch_pages(query_from_numbers(chunk, since, until), acquire_turn)
            if isinstance(entries, Unavailable):
                return entries
            records.extend(parse_record(each) for each in entries)
        # A filter may match more loosely than it was meant, so the numbers are compared again.
        return tuple(each for each in records if each.sid and each.from_number in numbers)

    async def _fetch_pages(
        self, query: PageQuery, acquire_turn: AcquireTurn
    ) -> list[Mapping[str, Any]] | Unavailable:
        entries: list[Mapping[str, Any]] = []
        for _ in range(MAX_PAGES):
            await acquire_turn()
            page = await self._fetch_page(query)
            if isinstance(page, Unavailable):
                return page
            entries += page.entries
            if page.next_query is None:
                return entries
            query = page.next_query
        return _unreadable(f"the list has more than {MAX_PAGES} pages")

    async def _fetch_page(self, query: PageQuery) -> ListPage | Unavailable:
        found = await self._look_up(Api.VOICE, "/Calls.json", query)
        if isinstance(found, Unavailable):
            return found
        return parse_page(found) or _unreadable("the answer holds no list of calls")

    async def _request(self, api: Api, path: str, form: Mapping[str, str]) -> Answer:
        reply = await self._transport.post(path, form)
        return self._interpret(api, reply) if isinstance(reply, ExotelReply) else reply

    async def _look_up(
        self, api: Api, path: str, query: Mapping[str, str]
    ) -> Mapping[str, Any] | Unavailable:
        reply = await self._transport.get(path, query)
        if isinstance(reply, ExotelReply) and 200 <= reply.status < 300:
            return _parse_document(reply.body)
        answer = self._interpret(api, reply) if isinstance(reply, ExotelReply) else reply
        match answer:
            case Refused():
                return Unavailable(answer.code, answer.reason, answer.message, answer.retry_after_s)
            case Unknown():
                return Unavailable(answer.code, answer.reason, answer.message)
            case Accepted():
                raise AssertionError("only a 2xx is accepted, and those were read above")
            case _:
                assert_never(answer)

    def _interpret(self, api: Api, reply: ExotelReply) -> Answer:
        now = self._clock.now()
        return interpret_response(api, reply.status, reply.body, now=now, retry_after=reply.retry_after)


def _parse_document(body: bytes) -> Mapping[str, Any] | Unavailable:
    text = body.decode("utf-8-sig", "replace")
    document = parse_json_object(text)
    if document is not None and not has_error(document):
        return document
    if _NO_SUCH_SMS in text.lower():
        return Unavailable("200", Reason.NOT_FOUND)
    return _unreadable(parse_body(body).message or "the answer is no JSON object")


def _map_404(document: Mapping[str, Any] | Unavailable) -> Mapping[str, Any] | Unavailable:
    """Of one call or SMS, a 404 says that there is none; of a list it would say that the account is wrong."""
    if isinstance(document, Unavailable) and document.code.partition(":")[0] == "404":
        return replace(document, reason=Reason.NOT_FOUND)
    return document


def _require_sid(report: StatusReport) -> StatusReport | Unavailable:
    return report if report.provider_sid else _unreadable("the record has no Sid")


def _unreadable(message: str) -> Unavailable:
    return Unavailable("200", Reason.REPLY_LOST, message)
