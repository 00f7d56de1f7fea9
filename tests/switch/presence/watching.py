"""The presence core with phones that know their passwords, and what it sends caught."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence

from switch.presence.door import Door
from switch.presence.notifier import Notifier
from switch.presence.publications import Publications
from switch.presence.settings import PresenceSettings
from switch.presence.states import States
from switch.presence.subscription import Package
from switch.registrar.location import Location
from switch.sip.digest import Challenger, DigestSettings, ha1
from switch.sip.events import TransactionId
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.trunks.settings import PhoneRange

REALM = "switchroom"
FLOW = Flow(Transport.UDP, ("192.0.2.77", 31000), ("192.0.2.1", 5060))
PHONES = PhoneRange(first="1001", last="1050")


class Passwords:
    """Phones 1001-1050."""

    def ha1(self, user: str, algorithm: str) -> Sequence[str]:
        return [ha1(user, REALM, f"lab-{user}", algorithm)] if user in PHONES else []

    def knows(self, number: str) -> bool:
        return number in PHONES


class Site:
    """The core under test, and a clock that a test moves."""

    def __init__(self, **settings: object) -> None:
        self.numbers = itertools.count(1)
        self.now = 1000.0
        self.settings = PresenceSettings(host="example.com", **settings)  # type: ignore[arg-type]
        self.challenger = Challenger(
            settings=DigestSettings(realm=REALM), secret=b"0123456789abcdef", new_token=self.token
        )
        door = Door(self.challenger, Passwords())
        self.states = States()
        self.location = Location()
        self.publications = Publications(door=door, settings=self.settings, new_token=self.token)
        self.sent: list[tuple[TransactionId, Request, Flow]] = []
        self.notifier = Notifier(
            door=door,
            states=self.states,
            publications=self.publications,
            settings=self.settings,
            send=self._send,
            contact=lambda flow: "sip:switchroom@192.0.2.1:5060",
            new_token=self.token,
            lives=lambda flow: flow.connection in self.connections,
            registered=self.location.contacts,
        )
        self.location.on_contacts.append(lambda phone: self._changed(Package.REG, phone))
        self.connections: set[int] = set()
        """Those that are there."""
        self.states.on_change = self._changed
        self.publications.on_change = lambda phone: self._changed(Package.PRESENCE, phone)

    def token(self) -> str:
        return f"t{next(self.numbers)}"

    def _changed(self, package: Package, phone: str) -> None:
        self.notifier.changed(package, phone, self.now)

    def _send(self, request: Request, flow: Flow, now: float) -> TransactionId:
        transaction = TransactionId(self.token())
        self.sent.append((transaction, request, flow))
        return transaction

    def proven(
        self, request: Request, user: str, password: str = "", *, host: str = FLOW.remote[0]
    ) -> Request:
        """The request with credentials."""
        return proven(self.challenger, self.now, request, user, password, host=host)

    def run(self, until: float) -> None:
        """Let time pass, deadline by deadline; who is notified answers 200 at once."""
        while True:
            self.answer_all()
            due = self.notifier.get_timer()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            self.notifier.handle_timer(self.now)
        self.now = max(self.now, until)

    def answer_all(self, status: int = 200, **headers: str) -> None:
        for transaction, request, _ in self.sent:
            self.answer(transaction, request, status, **headers)

    def answer(
        self, transaction: TransactionId, request: Request, status: int, **headers: str
    ) -> None:
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        response = Response(status, "", Headers(fields)) if status != 408 else None
        self.notifier.answered(transaction, status, response, self.now)


def proven(
    challenger: Challenger,
    now: float,
    request: Request,
    user: str,
    password: str = "",
    *,
    host: str = FLOW.remote[0],
) -> Request:
    """The request with credentials that answer a challenge of this moment."""
    challenge = challenger.challenges(now, host=host)[1][1]
    nonce = challenge.split('nonce="')[1].split('"')[0]

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5(f"{user}:{REALM}:{password or f'lab-{user}'}")
    proof = md5(f"{secret}:{nonce}:00000001:c:auth:{md5(f'{request.method}:{request.uri}')}")
    request.headers.set(
        "Authorization",
        f'Digest username="{user}", realm="{REALM}", nonce="{nonce}", uri="{request.uri}",'
        f' response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"',
    )
    return request


class Watcher:
    """A phone that watches another one."""

    def __init__(
        self, site: Site, user: str = "1001", watched: str = "1002", event: str = "dialog"
    ) -> None:
        self.site = site
        self.user = user
        self.watched = watched
        self.event = event
        self.call_id = site.token()
        self.to_tag = ""
        self.cseq = 0

    def request(self, expires: str | None = "600", **headers: str) -> Request:
        self.cseq += 1
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        target = "192.0.2.1" if self.to_tag else "example.com"
        fields = {
            "Via": "SIP/2.0/UDP 192.0.2.77:31000;branch=z9hG4bK1;rport",
            "From": f"<sip:{self.user}@example.com>;tag=w",
            "To": f"<sip:{self.watched}@example.com>{tag}",
            "Call-ID": self.call_id,
            "CSeq": f"{self.cseq} SUBSCRIBE",
            "Contact": f"<sip:{self.user}@192.0.2.77:31000>",
            "Event": self.event,
        }
        if expires is not None:
            fields["Expires"] = expires
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name, value) for name, value in fields.items() if value]
        return Request("SUBSCRIBE", f"sip:{self.watched}@{target}", Headers(pairs))

    def subscribe(
        self, expires: str | None = "600", *, flow: Flow = FLOW, **headers: str
    ) -> Response:
        """Subscribe, or refresh; what is due then is sent."""
        site = self.site
        request = site.proven(self.request(expires, **headers), self.user)
        response = site.notifier.subscribe(request, flow, site.now)
        if response.status == 200:
            self.to_tag = response.to.tag or ""
        site.notifier.handle_timer(site.now)
        return response

    @property
    def notified(self) -> list[Request]:
        """The notifications of this dialog, the oldest first."""
        return [request for _, request, _ in self.site.sent if request.call_id == self.call_id]

    @property
    def body(self) -> str:
        """What was told last."""
        return self.notified[-1].body.decode()
