"""What is read out of single headers: who sent a call on, who calls, which way and device it is."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from switch.calls import diversion, identity
from switch.legible import MAX_CHARACTERS
from switch.registrar import outbound
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.replaces import Replaces
from switch.sip.uri import NameAddr
from tests.fuzz.campaign import Item, promise, timed
from tests.fuzz.mutations import TEXT, mutate

_VALUES = (
    "Diversion: <sip:+12025550123@a.example.com>;reason=user-busy;counter=1, <sip:1002@x>\r\n"
    "History-Info: <sip:1001@x?Reason=SIP%3Bcause%3D486>;index=1, <sip:1002@x>;index=1.1;mp=1\r\n",
    'P-Asserted-Identity: "Bob" <sip:+12025550102@a.example.com>, <tel:+12025550102>\r\n'
    'Remote-Party-ID: "Eve" <sip:1003@x>;party=calling;privacy=full\r\nPrivacy: id;critical\r\n'
    "P-Preferred-Identity: <sip:1001@x>\r\n",
    "Path: <sip:edge.example.com;lr;ob>, <sip:core.example.com;lr>\r\nSupported: path, outbound\r\n"
    'Contact: <sip:1001@10.0.0.5>;+sip.instance="<urn:uuid:1>";reg-id=1;q=0.5\r\n',
    "Replaces: a@b;to-tag=1;from-tag=2;early-only\r\nReferred-By: <sip:1001@x>\r\n",
)
CORPUS = [
    (
        "INVITE sip:4000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6900;branch=z9hG4bK1\r\n"
        "From: <sip:1001@x>;tag=1\r\nTo: <sip:4000@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
        f"Max-Forwards: 70\r\n{values}Content-Length: 0\r\n\r\n"
    ).encode()
    for values in _VALUES
]


class CallHeaders:
    """Headers about callers and ways: what is no use in them is as if it were not there."""

    name = "call-headers"

    def make(self, rng: Random) -> list[Item]:
        """One request."""
        return [mutate(CORPUS, rng, TEXT)]

    def play(self, case: Sequence[Item]) -> None:
        """Nothing gets out, nothing grows, and what is written can be read again."""
        for data in case:
            assert isinstance(data, bytes)
            timed(lambda d=data: self._read(d), data)  # type: ignore[misc]

    def _read(self, data: bytes) -> None:
        try:
            request = parse(data)
        except MalformedMessageError:
            return
        if not isinstance(request, Request):
            return
        self._who(request)
        self._way(request)
        for value in request.headers.get_all("Replaces"):
            try:
                Replaces.parse(value)
            except ValueError:
                continue

    def _who(self, request: Request) -> None:
        headers = request.headers
        for is_trusted in (False, True):
            who = identity.shown(headers, request.from_, is_trusted=is_trusted)
            promise(len(who.number) <= MAX_CHARACTERS, "a number of any length")
            promise((who.number + who.name).isprintable(), "what cannot be shown")
        identity.preferred(headers)
        by = diversion.diverted(headers)
        promise(by is None or by.reason in diversion.REASONS, "a reason that is none")
        promise(by is None or by.number.isprintable(), "what cannot be shown")
        kept = diversion.carried(headers)
        promise(all(len(value) <= 1024 for value in kept.values()), "headers without a bound")
        passed = [diversion.Diverted("1002", diversion.reason_of(headers, rang=True))]
        told = diversion.sent_on(kept, passed, "1003", "switch.example.com")
        again = diversion.diverted(Headers(told.items()))
        promise(again == passed[0], f"who sent it on is {passed[0]}, and {again} is read")

    def _way(self, request: Request) -> None:
        try:
            path = outbound.path_of(request)
        except outbound.BadPathError:
            path = ()
        for value in path:
            promise("lr" in NameAddr.parse(value).uri.params, "a way that calls cannot follow")
        outbound.wants_outbound(request)
        outbound.first_hop_knows_outbound(request, path)
        try:
            contacts = request.contacts
        except ValueError:
            return
        for contact in contacts:
            device = outbound.device_of(contact)
            promise(len(device.instance) <= 204, "a name of any length")
