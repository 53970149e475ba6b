"""Exotel's API as the daemon uses it: place a call, send an SMS, and look up what happened to them.

    POST …/Calls/connect.json   200 {"Call": {"Sid": …}}               -> Answer
    POST …/Sms/send.json        200 {"SMSMessage": {"Sid": …}}         -> Answer
    GET  …/Calls/<sid>.json     {"Call": {…, "Details": {…}}}          -> StatusReport
    GET  …/SMS/Messages/<sid>.json   {"SMSMessage": {…}}, or the words `No matching results`
    GET  …/Calls.json           {"Metadata": {"NextPageUri": …}, "Calls": [{…}, …]}

`response_codes` decides what an answer means, `transport` makes the HTTP exchange. A lookup never guesses:
it returns a fact, or `Unavailable`. No method raises for a failure of the network or of Exotel.
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
"""500 calls to five numbers within the few minutes that a lookup covers: more than ever happen."""

_NO_SUCH_SMS = "no matching results"

type AcquireTurn = Callable[[], Awaitable[object]]
"""Awaited before each request of a lookup with several pages, as each page is one request."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A lookup without a result. `reason` is NOT_FOUND if Exotel says that there is no such call or SMS.

    `retry_after_s` is the wait in seconds that Exotel asked for, or None.
    """

    code: str
    reason: Reason
    message: str = ""
    retry_after_s: float | None = None


class ExotelClient:
    """Exotel's v1 API for one account. Many coroutines may use it at once.

    No other part may use `http` (see `new_exotel_client`). The code that made `http` must close it.
    """

    def __init__(self, http: httpx.AsyncClient, account: ExotelAccount, clock: Clock) -> None:
        self._account_sid = account.sid
        self._clock = clock
        self._transport = Transport(http, account)

    async def place_call(self, call: OutgoingCall) -> Answer:
        """Place a call. Accepted means that Exotel took the request, not that anybody answered the call."""
        return await self._request(Api.VOICE, "/Calls/connect.json", call_form(call, self._account_sid))

    async def send_sms(self, sms: OutgoingSms) -> Answer:
        """Send an SMS. Accepted means that Exotel took the request, not that the SMS was delivered."""
        return await self._request(Api.SMS, "/Sms/send.json", sms_form(sms))

    async def call_details(self, sid: str) -> StatusReport | Unavailable:
        """Look up a call. The record is not final until some minutes after the call's end."""
        path = f"/Calls/{quote(sid, safe='')}.json"
        document = _map_404(await self._look_up(Api.VOICE, path, {"details": "true"}))
        return document if isinstance(document, Unavailable) else _require_sid(parse_call_record(document))

    async def sms_details(self, sid: str) -> StatusReport | Unavailable:
        """Look up an SMS. For an unknown SMS Exotel answers 200, with words instead of a record."""
        document = _map_404(await self._look_up(Api.SMS, f"/SMS/Messages/{quote(sid, safe='')}.json", {}))
        return document if isinstance(document, Unavailable) else _require_sid(parse_sms_record(document))

    async def incoming_calls(
        self, since: datetime, until: datetime, page: PageQuery | None = None
    ) -> IncomingPage | Unavailable:
        """A page of the account's incoming calls from `since` to `until`, oldest first.

        Both times are aware, and a month apart at most. One request. `page` is the `next_query` of the page
        before. The list has all of the account's calls, not only those to our ExoPhones.
        """
        # Exotel does not document whether the next page's address keeps `details`, so add it again.
        listed = await self._fetch_page({**(page or query_incoming(since, until)), "details": "true"})
        if isinstance(listed, Unavailable):
            return listed
        incoming = (parse_listed_call(each) for each in listed.entries)
        return IncomingPage(tuple(each for each in incoming if each is not None), listed.next_query)

    async def incoming_call(self, sid: str) -> ListedCall | Unavailable:
        """Look up an incoming call with its details, which the list may have left out."""
        path = f"/Calls/{quote(sid, safe='')}.json"
        document = _map_404(await self._look_up(Api.VOICE, path, {"details": "true"}))
        if isinstance(document, Unavailable):
            return document
        return parse_listed_call(document) or _unreadable("the record has no Sid")

    async def find_calls(
        self, *, numbers: tuple[str, ...], since: datetime, until: datetime, acquire_turn: AcquireTurn
    ) -> tuple[CallRecord, ...] | Unavailable:
        """The calls made from any of `numbers` (E.164, as sent in `From`) between two aware times.

        The result is complete, or Unavailable. An empty tuple means that Exotel lists no such call. A call
        appears in the list some seconds after it was made.
        """
        records: list[CallRecord] = []
        for chunk in batched(numbers, MAX_FILTER_NUMBERS, strict=False):
            entries = await self._fetch_pages(query_from_numbers(chunk, since, until), acquire_turn)
            if isinstance(entries, Unavailable):
                return entries
            records.extend(parse_record(each) for each in entries)
        # Exotel's filter may match more than was asked for, so compare the numbers again.
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
        document = await self._look_up(Api.VOICE, "/Calls.json", query)
        if isinstance(document, Unavailable):
            return document
        return parse_page(document) or _unreadable("the answer has no list of calls")

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
    """For one call or SMS a 404 means that it does not exist. For a list it means a wrong account."""
    if isinstance(document, Unavailable) and document.code.partition(":")[0] == "404":
        return replace(document, reason=Reason.NOT_FOUND)
    return document


def _require_sid(report: StatusReport) -> StatusReport | Unavailable:
    return report if report.provider_sid else _unreadable("the record has no Sid")


def _unreadable(message: str) -> Unavailable:
    return Unavailable("200", Reason.REPLY_LOST, message)
