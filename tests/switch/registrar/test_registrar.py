import hashlib
import itertools
from collections.abc import Sequence

import pytest

from switch.guard.guard import Guard
from switch.guard.settings import GuardSettings
from switch.guard.watch import SipWatch
from switch.registrar.location import Location
from switch.registrar.registrar import Registrar, RegistrarSettings
from switch.sip.digest import Challenger, DigestSettings, ha1
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.sip.ports import Witness

REALM = "switchroom"
FLOW = Flow(Transport.UDP, ("192.0.2.77", 31000), ("192.0.2.1", 5060))


class Phones:
    """The phones 1001 and 1002, and a user 9999 who may sign on but has no phone."""

    def ha1(self, user: str, algorithm: str) -> Sequence[str]:
        if user not in ("1001", "1002", "9999"):
            return ()
        return [ha1(user, REALM, f"lab-{user}", algorithm)]

    def knows(self, number: str) -> bool:
        return number in ("1001", "1002")


class Lab:
    """A registrar and one phone that knows how to register."""

    def __init__(self, witness: Witness | None = None, **settings: object) -> None:
        numbers = itertools.count(1)
        self.changes: list[tuple[str, bool]] = []
        self.location = Location(on_change=lambda aor, on: self.changes.append((aor, on)))
        challenger = Challenger(
            settings=DigestSettings(realm=REALM),
            secret=b"0123456789abcdef",
            new_token=lambda: f"t{next(numbers)}",
            witness=witness,
        )
        self.registrar = Registrar(
            location=self.location,
            challenger=challenger,
            credentials=Phones(),
            settings=RegistrarSettings(**settings),  # type: ignore[arg-type]
        )
        self.cseq = 0

    def request(
        self, *contacts: str, aor: str = "1001", call_id: str = "c1", **headers: str
    ) -> Request:
        self.cseq += 1
        fields = [
            ("Via", "SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;rport"),
            ("From", f"<sip:{aor}@example.com>;tag=a"),
            ("To", f"<sip:{aor}@example.com>"),
            ("Call-ID", call_id),
            ("CSeq", f"{self.cseq} REGISTER"),
        ]
        fields += [("Contact", contact) for contact in contacts]
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        return Request("REGISTER", "sip:example.com", Headers(fields))

    def register(
        self,
        *contacts: str,
        user: str = "1001",
        aor: str = "1001",
        now: float = 0.0,
        cseq: int | None = None,
        call_id: str = "c1",
        password: str | None = None,
        **headers: str,
    ) -> Response:
        """Both turns: the challenge and the answer to it."""
        first = self.registrar.handle(self.request(*contacts, aor=aor, call_id=call_id), FLOW, now)
        assert first.status == 401
        nonce = first.headers.get_all("WWW-Authenticate")[0].split('nonce="')[1].split('"')[0]
        request = self.request(*contacts, aor=aor, call_id=call_id, **headers)
        if "Via" in headers:
            request.headers.set("Via", headers["Via"])
        if cseq is not None:
            request.headers.set("CSeq", f"{cseq} REGISTER")
        secret = f"lab-{user}" if password is None else password
        a1 = ha1(user, REALM, secret, "SHA-256")
        a2 = hashlib.sha256(b"REGISTER:sip:example.com").hexdigest()
        answer = hashlib.sha256(f"{a1}:{nonce}:00000001:c:auth:{a2}".encode()).hexdigest()
        request.headers.add(
            "Authorization",
            f'Digest username="{user}", realm="{REALM}", nonce="{nonce}", uri="sip:example.com", '
            f'response="{answer}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c"',
        )
        return self.registrar.handle(request, FLOW, now)

    def uris(self, now: float = 0.0, aor: str = "1001") -> list[str]:
        return [b.contact_uri for b in self.location.bindings(aor, now)]


PHONE = "<sip:1001@10.0.0.5:5060;ob>"


def test_without_credentials_two_challenges_come() -> None:
    lab = Lab()
    response = lab.registrar.handle(lab.request(PHONE), FLOW, 0.0)
    assert response.status == 401
    assert len(response.headers.get_all("WWW-Authenticate")) == 2
    assert lab.uris() == []


def test_what_a_phone_says_of_itself_is_fit_for_screens() -> None:
    lab = Lab()
    lab.register(PHONE, User_Agent="desk\x9b2J phone\u202e" + "x" * 200)
    (binding,) = lab.location.bindings("1001", 0.0)
    assert binding.user_agent == ("desk2J phone" + "x" * 200)[:128]


def test_a_phone_registers_and_is_called_back_on_the_flow_it_came_by() -> None:
    lab = Lab()
    response = lab.register(PHONE, User_Agent="desk phone")
    assert response.status == 200
    assert response.headers.get_all("Contact") == ["<sip:1001@10.0.0.5:5060;ob>;expires=3600"]
    (binding,) = lab.location.bindings("1001", 0.0)
    assert binding.flow == FLOW
    assert binding.contact_uri == "sip:1001@10.0.0.5:5060;ob"
    assert binding.user_agent == "desk phone"
    assert lab.changes == [("1001", True)]


def test_a_wrong_password_is_refused() -> None:
    lab = Lab()
    assert lab.register(PHONE, password="guess").status == 403
    assert lab.register(PHONE, user="1003", aor="1003").status == 403
    assert lab.uris() == []


def test_during_a_pause_after_wrong_passwords_the_phone_alone_is_told_to_wait() -> None:
    """Never by 503: a proxy that gets it sends nothing of all other phones either."""
    lab = Lab(SipWatch(Guard(GuardSettings())))
    assert [lab.register(PHONE, password="old").status for _ in range(6)] == [403] * 5 + [500]
    paused = lab.register(PHONE, now=0.5)
    assert (paused.status, paused.reason) == (500, "Too Many Wrong Passwords")
    assert paused.headers.get("Retry-After") == "1"
    assert lab.register("<sip:1002@10.0.0.6>", user="1002", aor="1002").status == 200
    assert lab.register(PHONE, now=1.5).status == 200


def test_nobody_registers_for_somebody_else() -> None:
    lab = Lab()
    assert lab.register(PHONE, user="1001", aor="1002").status == 403
    assert lab.register(PHONE, user="9999", aor="9999").status == 404
    assert lab.register(PHONE, user="9999", aor="5555").status == 404
    assert Lab(domains=frozenset({"elsewhere.example.com"})).register(PHONE).status == 404


def test_the_parameter_stands_above_the_header_and_both_are_bounded() -> None:
    lab = Lab(max_expires_s=600)
    response = lab.register(f"{PHONE};expires=120;q=0.5", Expires="300", now=10.0)
    assert response.headers.get("Contact") == "<sip:1001@10.0.0.5:5060;ob>;expires=120;q=0.5"
    assert "expires=300" in str(lab.register(PHONE, Expires="300").headers.get("Contact"))
    assert "expires=600" in str(lab.register(PHONE, Expires="86400").headers.get("Contact"))
    assert "expires=600" in str(lab.register(PHONE, Expires="soon").headers.get("Contact"))


def test_an_interval_too_brief_is_refused_with_the_least() -> None:
    lab = Lab()
    response = lab.register(f"{PHONE};expires=5")
    assert (response.status, response.headers.get("Min-Expires")) == (423, "30")
    assert lab.uris() == []


def test_several_phones_one_leaves_and_all_leave() -> None:
    lab = Lab()
    lab.register("<sip:1001@10.0.0.5>", call_id="a", now=1.0)
    lab.register("<sip:1001@10.0.0.6>", call_id="b", now=2.0)
    response = lab.register("<sip:1001@10.0.0.5>;expires=0", call_id="a", now=3.0)
    assert response.headers.get_all("Contact") == ["<sip:1001@10.0.0.6>;expires=3599"]
    lab.register("<sip:1001@10.0.0.7>", "<sip:1001@10.0.0.8>", call_id="c", now=3.0)
    assert len(lab.uris(4.0)) == 3
    response = lab.register("*", Expires="0", call_id="z", now=5.0)
    assert (response.status, response.headers.get_all("Contact")) == (200, [])
    assert lab.changes == [("1001", True), ("1001", False)]


def test_without_contact_the_bindings_are_fetched() -> None:
    lab = Lab()
    lab.register(PHONE)
    response = lab.register(now=100.0)
    assert response.headers.get_all("Contact") == ["<sip:1001@10.0.0.5:5060;ob>;expires=3500"]


def test_a_star_needs_expires_zero() -> None:
    lab = Lab()
    lab.register(PHONE)
    assert lab.register("*").status == 400
    assert lab.register("*", Expires="60").status == 400
    assert len(lab.uris()) == 1


def test_a_request_overtaken_by_a_later_one_changes_nothing() -> None:
    lab = Lab()
    assert lab.register(PHONE, cseq=100).status == 200
    assert lab.register(f"{PHONE};expires=0", cseq=100).status == 500
    assert lab.register("<sip:1001@10.0.0.9>", f"{PHONE};expires=0", cseq=99).status == 500
    assert lab.register("*", Expires="0", cseq=50).status == 500
    assert lab.uris() == ["sip:1001@10.0.0.5:5060;ob"]
    assert lab.register(f"{PHONE};expires=0", cseq=1, call_id="after-restart").status == 200


def test_contacts_are_limited_and_a_new_phone_displaces_the_oldest() -> None:
    lab = Lab(max_contacts=2)
    for number in range(4):
        lab.register(f"<sip:1001@10.0.0.{number}>", call_id=f"c{number}", now=float(number))
    assert lab.uris(5.0) == ["sip:1001@10.0.0.3", "sip:1001@10.0.0.2"]
    assert lab.registrar.displaced == 2
    many = [f"<sip:1001@10.0.1.{number}>" for number in range(3)]
    assert lab.register(*many, now=6.0).status == 403
    assert len(lab.uris(6.0)) == 2


@pytest.mark.parametrize(
    "contact", ["<tel:+12025550123>", "<mailto:1001@example.com>", f"<sip:{'x' * 600}@10.0.0.5>"]
)
def test_a_contact_that_cannot_be_called_is_refused(contact: str) -> None:
    lab = Lab()
    assert lab.register(contact).status == 400


def test_headers_in_a_contact_uri_are_not_kept() -> None:
    lab = Lab()
    lab.register("<sip:1001@10.0.0.5?Subject=x>")
    assert lab.uris() == ["sip:1001@10.0.0.5"]


def test_what_is_required_but_not_supported_is_named() -> None:
    lab = Lab()
    response = lab.registrar.handle(lab.request(PHONE, Require="gruu, precondition"), FLOW, 0.0)
    assert (response.status, response.headers.get("Unsupported")) == (420, "gruu, precondition")


def test_a_static_binding_is_neither_told_nor_changed() -> None:
    lab = Lab()
    lab.location.add_static("1001", "sip:1001@192.0.2.50", FLOW)
    response = lab.register("<sip:1001@192.0.2.50>;expires=0", "<sip:1001@10.0.0.5>")
    assert response.headers.get_all("Contact") == ["<sip:1001@10.0.0.5>;expires=3600"]
    lab.register("<sip:1001@192.0.2.50>;expires=60")
    lab.register("*", Expires="0", call_id="z")
    assert lab.uris() == ["sip:1001@192.0.2.50"]


@pytest.mark.parametrize(
    ("via", "contact", "port"),
    [
        ("192.0.2.77;branch=z9hG4bK1", "<sip:1001@192.0.2.77:5070>", 5070),
        ("192.0.2.77;branch=z9hG4bK1", "<sip:1001@192.0.2.77>", 5060),
        ("192.0.2.77;branch=z9hG4bK1;rport", "<sip:1001@192.0.2.77:5070>", 31000),
        ("10.0.0.5;branch=z9hG4bK1", "<sip:1001@10.0.0.5:5070>", 31000),
        ("192.0.2.77;branch=z9hG4bK1", "<sip:1001@10.0.0.5:5070>", 31000),
    ],
)
def test_a_phone_that_does_not_listen_where_it_sends_from_is_called_at_its_contact(
    via: str, contact: str, port: int
) -> None:
    lab = Lab()
    assert lab.register(contact, Via=f"SIP/2.0/UDP {via}").status == 200
    (binding,) = lab.location.bindings("1001", 0.0)
    assert binding.flow.remote == ("192.0.2.77", port)
