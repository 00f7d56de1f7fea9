"""Sessions with everything they can do, between two user agents, while somebody damages what they say.

Reliable responses, UPDATE, session timers, REFER with its news, INFO, challenges.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from switch.sip import usage
from switch.sip.bodies import sdp_in
from switch.sip.client_digest import ClientCredentials, Prover, challenges_of
from switch.sip.events import (
    Ended,
    Failed,
    Invited,
    OutOfDialogRequest,
    Referred,
    ReofferReceived,
    SessionEvent,
    SessionId,
)
from switch.sip.headers import Headers
from switch.sip.info_digits import DTMF, DTMF_RELAY, digit_in
from switch.sip.message import Message, Request, Response
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.rack import LARGEST, RAck, rseq_in
from switch.sip.reason import reasons_in
from switch.sip.referral import wants_news
from switch.sip.replaces import Replaces
from switch.sip.session_expires import expires_in, least_in, supports_timer
from switch.sip.sipfrag import status_in
from switch.sip.uri import NameAddr
from switch.sip.writing import make_response, serialize
from tests.fuzz.campaign import Item, promise, timed
from tests.fuzz.mutations import GENTLE, TEXT, mutate, renew
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Node, Wire

_LINES = (
    "Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\nSupported: timer, 100rel, replaces\r\n",
    "RAck: 776656 1 INVITE\r\nRSeq: 988789\r\nRequire: 100rel\r\n",
    "Refer-To: <sip:c@192.0.2.3;method=INVITE?Replaces=1%40x%3Bto-tag%3D2%3Bfrom-tag%3D3>\r\n"
    "Referred-By: <sip:a@x>;cid=1\r\nRefer-Sub: false\r\nRequire: norefersub\r\n",
    "Replaces: 1@x;to-tag=2;from-tag=3;early-only\r\n",
    'Reason: SIP;cause=200;text="Call completed elsewhere", Q.850;cause=16\r\n',
    'WWW-Authenticate: Digest realm="a \\"b\\"", nonce="n", algorithm=SHA-256-sess, '
    'qop="auth,auth-int", opaque="o", stale=TRUE\r\n'
    'WWW-Authenticate: Digest realm="a", nonce="m"\r\n',
)
_BODIES = (
    b"Signal=5\r\nDuration=160\r\n",
    b"Signal=#\nDuration=90",
    b"16",
    b"SIP/2.0 180 Ringing\r\n",
    b"SIP/2.0 603 Decline\nVia: x\n",
)
CORPUS = [
    (
        f"{start}\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n"
        f"To: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{lines}\r\n"
    ).encode()
    + body
    for start, lines, body in zip(
        ("INVITE sip:b@192.0.2.2 SIP/2.0",) * 5 + ("SIP/2.0 401 Unauthorized",),
        _LINES,
        (*_BODIES, b""),
        strict=True,
    )
]


class SessionHeaders:
    """What is read out of headers and bodies of sessions: a value, or nothing, in little time."""

    name = "session-headers"

    def make(self, rng: Random) -> list[Item]:
        """One message."""
        return [mutate(CORPUS, rng, TEXT)]

    def play(self, case: Sequence[Item]) -> None:
        """Nothing but ValueError gets out; what is read can be written and read again."""
        for data in case:
            assert isinstance(data, bytes)
            timed(lambda d=data: self._read(d), data)  # type: ignore[misc]

    def _read(self, data: bytes) -> None:
        try:
            message = parse(data)
        except MalformedMessageError:
            return
        headers, body = message.headers, message.body
        for reason in reasons_in(headers):
            promise(str(reason).isprintable(), "a reason that cannot be shown")
        number = rseq_in(headers)
        promise(number is None or 0 < number <= LARGEST, "an RSeq beyond all measure")
        self._one_by_one(headers, body)
        told = status_in(body)
        promise(told is None or (100 <= told[0] <= 699 and told[1].isprintable()), "no status")
        if isinstance(message, Response):
            self._prove(message)
        else:
            wants_news(message)

    def _one_by_one(self, headers: Headers, body: bytes) -> None:
        supports_timer(headers)
        for name, read in (
            ("Session-Expires", lambda value: expires_in(headers)),
            ("Min-SE", lambda value: least_in(headers)),
            ("RAck", lambda value: promise(RAck.parse(value) == RAck.parse(value), "unsteady")),
            ("Replaces", lambda value: promise(_again(value), "another after writing")),
            ("Refer-To", lambda value: Replaces.of_uri(NameAddr.parse(value).uri)),
        ):
            for value in headers.get_all(name):
                try:
                    read(value)
                except ValueError:
                    continue
        for kind in (DTMF, DTMF_RELAY):
            try:
                digit = digit_in(kind, body)
            except ValueError:
                continue
            promise(digit is None or 0 < digit[1] <= 60_000, "a digit of any length")

    def _prove(self, response: Response) -> None:
        challenges_of(response)
        prover = Prover(ClientCredentials(username='a"b', password="p"), lambda: "t")
        if prover.take(response, {}):
            request = Request("INVITE", "sip:b@192.0.2.2", Headers())
            prover.prove(request)
            for value in request.headers.get_all("Authorization"):
                # A realm goes back as it came, in whatever script; it may not begin a line of a log.
                promise(len(value.splitlines()) == 1, "credentials of more than one line")


def _again(value: str) -> bool:
    replaces = Replaces.parse(value)
    return Replaces.parse(str(replaces)) == replaces


class SessionWalk:
    """Two user agents do all that they can, and what they say is damaged."""

    name = "session-walk"
    steps = 40

    def make(self, rng: Random) -> list[Item]:
        """The numbers of the steps."""
        return [rng.getrandbits(32) for _ in range(self.steps)]

    def play(self, case: Sequence[Item]) -> None:
        """Every session ends once, and nothing is left."""
        story = _Story()
        for item in case:
            if isinstance(item, int):
                story.step(Random(item))
        story.end()


class _Story:
    def __init__(self) -> None:
        self.rng = Random(0)
        self.wire = Wire(fate=self._fate)
        self.called: list[SessionId] = []
        for node in self.wire.nodes:
            node.on_event = partial(self._heard, node)

    def _heard(self, node: Node, event: SessionEvent, now: float) -> None:
        """Whoever has subscriptions and messages knows of none."""
        if isinstance(event, OutOfDialogRequest):
            node.ua.respond(event.transaction, make_response(event.request, 481), now)

    def _fate(self, message: Message, sender: Node) -> float | None:
        return None if self.rng.random() < 0.05 else self.rng.choice((0.0, 0.01, 0.01, 0.3))

    def step(self, rng: Random) -> None:
        """One thing is done, or one damaged message comes."""
        self.rng = rng
        node = rng.choice(self.wire.nodes)
        if rng.random() < 0.5:
            self._act(node, rng)
        else:
            self._damage(node, rng)
        self.wire.run(40.0 if rng.random() < 0.03 else rng.choice((0.0, 0.05, 0.2, 1.0)))

    def _act(self, node: Node, rng: Random) -> None:
        ua, now = node.ua, self.wire.now
        sessions = list(ua._table.by_id)
        if node is self.wire.a and (not sessions or rng.random() < 0.05):
            require = rng.choice(({}, {"Require": "100rel"}, {"Session-Expires": "90"}))
            self.called.append(self.wire.call(OFFER, **require))
            return
        for session in sessions:
            choice = rng.randrange(10)
            if rng.random() < 0.3 and ua._table.by_id[session].state is usage.State.INVITED:
                choice = rng.randrange(2)  # or hardly anybody would ever talk
            match choice:
                case 0:
                    ua.ring(session, now, rng.choice((180, 183)), body=rng.choice((None, ANSWER)))
                case 1:
                    ua.answer(session, ANSWER, now)
                case 2:
                    ua.reoffer(session, OFFER, now)
                case 3:
                    ua.accept_reoffer(session, ANSWER, now)
                case 4:
                    ua.refuse_reoffer(session, 488, now)
                case 5:
                    ua.send_info(session, "5", now)
                case 6:
                    to = NameAddr.parse("<sip:c@192.0.2.3>")
                    ua.refer(session, to, now, wants_news=rng.random() < 0.8)
                case 7:
                    self._decide(node, rng)
                case 8 if rng.random() < 0.1:
                    ua.end(session, now)

    def _decide(self, node: Node, rng: Random) -> None:
        for event in node.log:
            if isinstance(event, Referred):
                match rng.randrange(3):
                    case 0:
                        node.ua.accept_refer(event.refer, self.wire.now)
                    case 1:
                        node.ua.notify_refer(event.refer, rng.choice((180, 200)), self.wire.now)
                    case 2:
                        node.ua.refuse_refer(event.refer, 603, self.wire.now)

    def _damage(self, target: Node, rng: Random) -> None:
        """What the other said is said again, damaged."""
        said = [m for name, m in self.wire.sent[-40:] if name != target.name]
        if not said:
            return
        message = rng.choice(said)
        if isinstance(message, Request) and rng.random() < 0.5:
            message = self._more(message, rng)
        data = serialize(message)
        if isinstance(message, Request) and rng.random() < 0.8:
            data = renew(data, rng)
        for _ in range(rng.choice((0, 1, 1, 2))):
            data = rng.choice(GENTLE)(data, rng)
        try:
            parse(data)
        except MalformedMessageError:
            return  # its answer need not be well formed either; `sip-walk` sees to that
        self.wire.inject(target, data)

    def _more(self, message: Request, rng: Random) -> Request:
        """The same with a header of another kind of request, or made one of another kind."""
        method = rng.choice(
            ("PRACK", "UPDATE", "REFER", "NOTIFY", "INFO", "SUBSCRIBE", message.method)
        )
        headers = message.headers.copy()
        seq = message.cseq.seq + rng.choice((0, 1, 5))
        headers.set("CSeq", f"{seq} {method}")
        for line in rng.choice(_LINES[:5]).split("\r\n"):
            name, colon, value = line.partition(": ")
            if colon:
                headers.set(name, value)
        body = rng.choice((b"", message.body, *_BODIES))
        kind = rng.choice(("application/sdp", DTMF, DTMF_RELAY, "message/sipfrag"))
        if body:
            headers.set("Content-Type", kind)
        headers.set("Event", rng.choice(("refer", "refer;id=3", "presence")))
        headers.set("Subscription-State", rng.choice(("active", "terminated;reason=noresource")))
        return Request(method, message.uri, headers, body)

    def end(self) -> None:
        """Everybody hangs up, and nothing is left."""
        self.rng = Random(1)
        wire = self.wire
        wire.fate = lambda message, sender: 0.01
        for _ in range(3):
            wire.run(40.0)
            for node in wire.nodes:
                for session in list(node.ua._table.by_id):
                    node.ua.end(session, wire.now)
            wire.flush()
        wire.run(400.0)
        for node in wire.nodes:
            self._check(node)
        wire.assert_quiet()

    def _check(self, node: Node) -> None:
        ends = [event.session for event in node.log if isinstance(event, Ended | Failed)]
        begun = [event.session for event in node.log if isinstance(event, Invited)]
        if node is self.wire.a:
            begun += self.called
        promise(sorted(ends) == sorted(begun), f"{node.name}: begun {begun}, ended {ends}")
        for event in node.log:
            if isinstance(event, ReofferReceived) and event.offer is not None:
                promise(len(event.offer) < 65_536, "an offer of any size")
        for name, message in self.wire.sent:
            if name == node.name:
                sdp_in(message)
