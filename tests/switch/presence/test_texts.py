import pytest

from switch.presence.door import Door
from switch.presence.texts import Text, Texts
from switch.registrar.location import Binding, Location, contact_key
from switch.sip.events import TransactionId
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.sip.uri import Uri
from switch.trunks.number_plan import NumberPlan
from switch.trunks.settings import EntrySettings, NumberPlanSettings, PhoneRange
from tests.switch.presence.watching import FLOW, Passwords, Site

PHONE = Flow(Transport.UDP, ("192.0.2.78", 5070), ("192.0.2.1", 5060))


class Office:
    """Texts, the phone 1002 registered, and what is sent and answered."""

    def __init__(self, **settings: object) -> None:
        self.site = Site(**settings)
        self.location = Location()
        self.location.add_static("1002", "sip:1002@192.0.2.78:5070", PHONE)
        self.answers: list[int] = []
        self.read: list[Text] = []
        self.has_desk = False
        self.texts = Texts(
            door=Door(self.site.challenger, Passwords()),
            plan=NumberPlan(
                NumberPlanSettings(
                    entries=(EntrySettings(name="menu", numbers=("4000",)),),
                    phones=(PhoneRange(first="1001", last="1050"),),
                    routes=(),
                    trunks={},
                )
            ),
            location=self.location,
            settings=self.site.settings,
            send=self.site._send,
            respond=lambda transaction, response, now: self.answers.append(response.status),
            new_token=self.site.token,
        )
        self.texts.on_text = self._on_text

    def _on_text(self, text: Text) -> bool:
        self.read.append(text)
        return self.has_desk

    def write(
        self, number: str = "1002", body: bytes = b"hello", *, to_tag: str = "", **headers: str
    ) -> Response | None:
        fields = {
            "Via": "SIP/2.0/UDP 192.0.2.77:31000;branch=z9hG4bK1;rport",
            "From": "<sip:1001@example.com>;tag=p",
            "To": f"<sip:{number}@example.com>{to_tag}",
            "Call-ID": self.site.token(),
            "CSeq": "1 MESSAGE",
            "Content-Type": "text/plain",
        }
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(
            "MESSAGE", f"sip:{number}@example.com", Headers(list(fields.items())), body
        )
        self.site.proven(request, "1001")
        return self.texts.handle(TransactionId("in"), request, FLOW, self.site.now)

    def status(self, number: str = "1002", body: bytes = b"hello", **headers: str) -> int:
        """The status of one that is answered at once."""
        response = self.write(number, body, **headers)
        assert response is not None
        return response.status

    def phone_says(self, status: int) -> None:
        transaction, _, _ = self.site.sent[-1]
        assert self.texts.answered(transaction, status, self.site.now)


def test_a_phone_behind_proxies_is_written_to_by_the_way_that_it_registered() -> None:
    """RFC 3327: they would not know where to its Contact leads."""
    office = Office()
    path = ("<sip:edge.example.com;lr>", "<sip:inner.example.com;lr>")
    contact = "sip:1003@10.0.0.7:5070"
    binding = Binding(contact_uri=contact, flow=PHONE, expires_at=9000.0, path=path)
    office.location.put("1003", contact_key(Uri.parse(contact)), binding)
    assert office.write("1003") is None
    _, sent, flow = office.site.sent[-1]
    assert sent.uri == contact
    assert tuple(sent.headers.get_all("Route")) == path
    assert flow == PHONE


def test_a_message_goes_to_the_phone_and_its_answer_back() -> None:
    office = Office()
    assert office.write() is None
    (_, sent, flow) = office.site.sent[-1]
    assert (sent.method, sent.uri, flow) == ("MESSAGE", "sip:1002@192.0.2.78:5070", PHONE)
    assert (sent.body, sent.content_type) == (b"hello", "text/plain")
    assert sent.from_.uri.username == "1001"
    assert office.answers == []
    office.phone_says(200)
    assert office.answers == [200]
    assert len(office.texts) == 0


def test_other_content_goes_on_as_it_is_and_is_read_by_nobody_here() -> None:
    office = Office()
    office.write(body=b"\xff\xfe", Content_Type="application/im-iscomposing+xml")
    assert office.site.sent[-1][1].body == b"\xff\xfe"
    assert office.read == []


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (202, 202),
        (415, 415),
        (603, 603),
        (401, 480),
        (302, 480),
        (408, 480),
        (503, 480),
        (500, 480),
    ],
)
def test_what_is_between_us_and_the_receiver_is_not_passed_on(said: int, heard: int) -> None:
    office = Office()
    office.write()
    office.phone_says(said)
    assert office.answers == [heard]


def test_nobody_there_gets_480_and_no_such_number_404() -> None:
    office = Office()
    office.write("1003")
    assert office.answers == [480]
    assert office.status("9999") == 404
    assert office.status("4000") == 404


def test_who_does_not_answer_in_time_is_answered_for() -> None:
    office = Office()
    office.write()
    assert office.texts.get_timer() == office.site.now + 20
    office.site.now += 20
    office.texts.handle_timer(office.site.now)
    assert office.answers == [480]
    office.phone_says(200)  # too late for the sender
    assert office.answers == [480]
    assert len(office.texts) == 0


def test_what_an_agent_reads_at_the_desk_has_arrived() -> None:
    office = Office()
    office.has_desk = True
    office.write("1003", b"call me\x07 back\nsoon")
    assert office.answers == [202]
    office.write("1002", b"hi")
    office.phone_says(415)
    assert office.answers == [202, 202]
    assert [text.words for text in office.read] == ["call me  back\nsoon", "hi"]
    assert office.read[0] == Text(sender="1001", receiver="1003", words="call me  back\nsoon")


def test_size_hops_and_dialogs_have_their_answers() -> None:
    office = Office()
    assert office.status(body=b"x" * 1301) == 413
    assert office.status(Max_Forwards="0") == 483
    assert office.write(to_tag=";tag=x") is not None
    assert office.site.sent == []


def test_a_stranger_is_challenged() -> None:
    office = Office()
    request = Request(
        "MESSAGE",
        "sip:1002@example.com",
        Headers(
            [
                ("Via", "SIP/2.0/UDP 192.0.2.77:31000;branch=z9hG4bK1"),
                ("From", "<sip:1001@example.com>;tag=p"),
                ("To", "<sip:1002@example.com>"),
                ("Call-ID", "c"),
                ("CSeq", "1 MESSAGE"),
            ]
        ),
    )
    response = office.texts.handle(TransactionId("in"), request, FLOW, 1000.0)
    assert response is not None
    assert response.status == 401


def test_a_sender_has_so_many_messages_a_minute() -> None:
    office = Office(texts_a_minute=3)
    for _ in range(3):
        assert office.write() is None
    refused = office.write()
    assert refused is not None
    assert (refused.status, "Retry-After" in refused.headers) == (480, True)
    office.site.now += 60
    assert office.write() is None


def test_no_more_wait_than_may() -> None:
    office = Office(most_texts=2)
    for _ in range(5):
        office.write()
    assert len(office.site.sent) == 2
    assert office.answers == [480] * 3


def test_a_message_of_ours_tells_how_it_went() -> None:
    office = Office()
    told: list[int] = []
    office.texts.write("Supervisor", "1002", "please call", told.append, office.site.now)
    assert office.site.sent[-1][1].from_.uri.username == "Supervisor"
    assert told == []
    office.phone_says(200)
    office.texts.write("Supervisor", "1003", "please call", told.append, office.site.now)
    office.texts.write("Supervisor", "9999", "please call", told.append, office.site.now)
    office.texts.write("Supervisor", "1002", "x" * 1301, told.append, office.site.now)
    assert told == [200, 480, 404, 413]
