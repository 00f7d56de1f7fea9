"""REGISTER from octets to octets: endpoint, user agent, digest and registrar together."""

import hashlib
from collections.abc import Sequence

from switch.registrar.location import Location
from switch.registrar.registrar import Registrar, RegistrarSettings
from switch.sip.digest import Challenger, DigestSettings, ha1
from switch.sip.events import OutOfDialogRequest, SessionEvent
from switch.sip.message import Response
from tests.switch.sip_sessions.wire import Wire

REALM = "switchroom"


class OnePhone:
    def ha1(self, user: str, algorithm: str) -> Sequence[str]:
        return [ha1(user, REALM, "lab-1001", algorithm)] if user == "1001" else []

    def knows(self, number: str) -> bool:
        return number == "1001"


def register(cseq: int, authorization: str = "") -> bytes:
    lines = [
        "REGISTER sip:192.0.2.2 SIP/2.0",
        f"Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK{cseq};rport",
        "From: <sip:1001@192.0.2.2>;tag=f",
        "To: <sip:1001@192.0.2.2>",
        "Call-ID: reg",
        f"CSeq: {cseq} REGISTER",
        "Contact: <sip:1001@10.0.0.5>",
        *([f"Authorization: {authorization}"] if authorization else []),
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def test_a_phone_behind_a_nat_registers_and_can_be_called() -> None:
    wire = Wire()
    location = Location()
    registrar = Registrar(
        location=location,
        challenger=Challenger(
            settings=DigestSettings(realm=REALM), secret=b"s" * 16, new_token=lambda: "n"
        ),
        credentials=OnePhone(),
        settings=RegistrarSettings(),
    )

    def answer(event: SessionEvent, now: float) -> None:
        assert isinstance(event, OutOfDialogRequest)
        response = registrar.handle(event.request, event.flow, now)
        wire.b.ua.respond(event.transaction, response, now)

    wire.b.on_event = answer
    source = ("192.0.2.77", 31000)
    wire.inject(wire.b, register(1), source)
    challenge = wire.sent[-1][1]
    assert isinstance(challenge, Response)
    assert challenge.status == 401
    assert challenge.to.tag
    nonce = challenge.headers.get_all("WWW-Authenticate")[1].split('nonce="')[1].split('"')[0]
    a1 = ha1("1001", REALM, "lab-1001", "MD5")
    a2 = hashlib.md5(b"REGISTER:sip:192.0.2.2").hexdigest()
    proof = hashlib.md5(f"{a1}:{nonce}:00000001:c:auth:{a2}".encode()).hexdigest()
    credentials = (
        f'Digest username="1001", realm="{REALM}", nonce="{nonce}", uri="sip:192.0.2.2", '
        f'response="{proof}", algorithm=MD5, cnonce="c", qop=auth, nc=00000001'
    )
    wire.inject(wire.b, register(2, credentials), source)
    done = wire.sent[-1][1]
    assert isinstance(done, Response)
    assert done.status == 200
    assert done.headers.get("Contact") == "<sip:1001@10.0.0.5>;expires=3600"
    (binding,) = location.bindings("1001", wire.now)
    assert binding.flow.remote == source
    wire.assert_quiet()
