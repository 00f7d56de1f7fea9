"""Requests that are refused unread, because more come than can be dealt with.

The answer is 503 with Retry-After, without a transaction, put together from the octets of the request at
a fraction of what reading it costs. Only a request that is written in an unusual way is read after all.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from switch.sip.admission import Admission
from switch.sip.flow import Flow
from switch.sip.glimpse import Glimpse, glimpse, refused_tag
from switch.sip.message import Request
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.transaction import server_key, stateless_tag
from switch.sip.transactions import TransactionTable
from switch.sip.way_back import for_responses, mark_via, marked_via, way_of
from switch.sip.writing import REASONS, serialize

REMEMBERED_S: Final = 32.0
"""64*T1: so long copies of a refused request may come (RFC 3261 section 17.1.1.2)."""
_STATUS: Final = 503


class Surplus:
    """Refuses, and knows again what it refused.

    A copy of a refused request gets the same answer, even when there would be time for it by then: its
    sender has given up, and would not take the 200.
    """

    __slots__ = (
        "_admission",
        "_answered",
        "_head",
        "_most",
        "_refused",
        "_table",
        "_tags",
        "_tail",
        "calls",
        "others",
    )

    def __init__(
        self,
        table: TransactionTable,
        admission: Admission,
        answered: Counter[int],
        most: int,
    ) -> None:
        """`answered` counts responses by status; `most` requests are remembered at a time."""
        self._table = table
        self._admission = admission
        self._answered = answered
        self._most = most
        self._refused: dict[str, tuple[float, str]] = {}
        """Until when, and the tag of the answer, by the key of the server transaction; the oldest first."""
        self._tags: set[str] = set()
        self.calls = 0
        """INVITEs that were refused, copies included."""
        self.others = 0
        """Further requests that were."""
        self._head = f"SIP/2.0 {_STATUS} {REASONS[_STATUS]}\r\n"
        self._tail = f"\r\nRetry-After: {admission.retry_after_s}\r\nContent-Length: 0\r\n\r\n"

    def refuse(self, data: bytes, flow: Flow, now: float) -> bool:
        """Answer a new request with 503. False: it has to be read, as any other message.

        That is so where it is the copy of a request that is under way, and where it is malformed.
        """
        seen = glimpse(data)
        key = None if seen is None else seen.server_key
        if seen is None or key is None:
            return self._read_and_refuse(data, flow, now)
        if key in self._table.servers:
            return False
        tag = seen.tag
        self._table.out.append(self._answer(seen, tag, flow))
        self._note(seen.method, key, tag, now)
        return True

    def has_refused(self, key: str, now: float) -> bool:
        """Tell whether the request of that transaction was refused unread not long ago."""
        found = self._refused.get(key)
        return found is not None and found[0] > now

    def is_over(self, data: bytes) -> bool:
        """Tell, of an ACK, whether it is for a request that was refused unread: it needs no reading."""
        return bool(self._tags) and refused_tag(data) in self._tags

    def _answer(self, seen: Glimpse, tag: str, flow: Flow) -> tuple[bytes, Flow]:
        values, via = seen.values, seen.via
        marked = marked_via(via, flow)
        if marked is not None:
            seen.vias[0] = str(marked)
        lines = "".join([f"Via: {each}\r\n" for each in seen.vias])
        text = (
            f"{self._head}{lines}From: {values['from']}\r\nTo: {values['to']};tag={tag}\r\n"
            f"Call-ID: {values['call-id']}\r\nCSeq: {values['cseq']}{self._tail}"
        )
        return text.encode(), way_of(via, flow)

    def _read_and_refuse(self, data: bytes, flow: Flow, now: float) -> bool:
        try:
            request = parse(data)
        except MalformedMessageError:
            return False
        if not isinstance(request, Request):
            return False
        mark_via(request, flow)
        key = server_key(request, request.method)
        if key in self._table.servers:
            return False
        response = self._admission.no_room(request)
        self._table.out.append((serialize(response), for_responses(request, flow)))
        self._note(request.method, key, stateless_tag(request), now)
        return True

    def _note(self, method: str, key: str, tag: str, now: float) -> None:
        if method == "INVITE":
            self.calls += 1
        else:
            self.others += 1
        refused = self._refused
        self._answered[_STATUS] += 1
        refused.pop(key, None)
        refused[key] = now + REMEMBERED_S, tag
        self._tags.add(tag)
        # Two go for one that comes, so that those whose time is over do not stay.
        for _ in range(2):
            oldest = next(iter(refused))
            until, old_tag = refused[oldest]
            if until > now and len(refused) <= self._most:
                break
            del refused[oldest]
            self._tags.discard(old_tag)
