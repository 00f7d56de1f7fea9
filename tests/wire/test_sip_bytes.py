"""Golden and torture octets. A torture file's name begins with the status it deserves."""

from pathlib import Path

import pytest

from switch.sip.endpoint import Endpoint
from switch.sip.flow import Flow, Transport
from switch.sip.message import Request, Response
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.writing import serialize

FOLDER = Path(__file__).parent / "sip"
FILES = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.sip"))}
GOLDEN = [name for name in FILES if name.startswith("golden-")]
ODD = [name for name in FILES if name.startswith("odd-")]
TORTURE = [name for name in FILES if name[0].isdigit()]
FLOW = Flow(Transport.UDP, ("192.0.2.1", 5060), ("192.0.2.2", 5060))


def request_of(name: str) -> Request:
    message = parse(FILES[name])
    assert isinstance(message, Request)
    return message


def test_every_file_is_used() -> None:
    assert len(GOLDEN) + len(ODD) + len(TORTURE) == len(FILES) > 60


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_octets_survive_a_round_trip(name: str) -> None:
    assert serialize(parse(FILES[name])) == FILES[name]


@pytest.mark.parametrize("name", ODD)
def test_odd_but_valid_requests_are_taken_and_stay_the_same(name: str) -> None:
    first = parse(FILES[name])
    second = parse(serialize(first))
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.method, first.uri, first.body) == (second.method, second.uri, second.body)
    assert first.headers == second.headers


@pytest.mark.parametrize("name", TORTURE)
def test_torture_deserves_its_status(name: str) -> None:
    status = int(name.split("-")[0])
    with pytest.raises(MalformedMessageError) as refused:
        parse(FILES[name])
    assert refused.value.status == status
    assert (refused.value.partial is None) == (status == 0)


@pytest.mark.parametrize("name", TORTURE)
def test_an_endpoint_answers_torture_with_that_status_or_not_at_all(name: str) -> None:
    status = int(name.split("-")[0])
    endpoint = Endpoint(new_branch=lambda: "b")
    endpoint.receive_datagram(FILES[name], FLOW, 0.0)
    sent = endpoint.datagrams_to_send()
    assert endpoint.counters.malformed == 1
    assert endpoint.next_event() is None
    assert endpoint.transactions_alive == 0
    if status == 0:
        assert sent == []
        return
    ((data, flow),) = sent
    assert flow is FLOW
    assert data.startswith(b"SIP/2.0 %d " % status)
    head = data.split(b"\r\n\r\n")[0]
    assert b"\nVia: SIP/2.0/UDP caller.example.com:5060;branch=z9hG4bKgold1;" in head
    assert b"received=192.0.2.1" in head


def test_odd_spellings_are_understood() -> None:
    request = request_of("odd-spellings")
    assert request.from_.display_name == 'J "R" \\ Q <x>, y'
    assert request.from_.tag == "98asjd8"
    assert request.to.tag == "t98"
    assert request.to.uri.params == {}
    assert request.headers.get("Max-Forwards") == "068"
    assert (request.cseq.seq, request.cseq.method) == (9, "INVITE")
    assert [via.transport for via in request.vias] == ["UDP", "TCP", "UDP"]
    assert [via.host for via in request.vias] == ["192.0.2.2", "spindle.example.com", "192.0.2.255"]
    assert request.request_uri.user == "vivek;x=1"
    assert request.request_uri.transport == "UDP"
    assert request.headers.get("newfangled") == "newfangled value continued newfangled value"
    assert request.headers.get("Subject") == ""
    assert [str(contact.uri) for contact in request.contacts] == [
        "sip:jr@example.com",
        "tel:+12025550123",
    ]
    assert request.contacts[0].params == {"newparam": "newvalue", "q": "0.33"}


def test_unicode_names_are_kept() -> None:
    assert request_of("odd-unicode").from_.display_name == "安 é"


def test_ipv6_references_are_kept_in_brackets() -> None:
    request = request_of("odd-ipv6")
    assert request.request_uri.host == "[2001:db8::10]"
    assert request.top_via.host == "[2001:db8::9:1]"
    assert request.contacts[0].uri.port == 5070


def test_a_longer_datagram_is_cut_to_its_content_length() -> None:
    assert request_of("odd-body-longer-than-stated").body == b"body"


def test_a_star_contact_is_no_address() -> None:
    request = request_of("odd-star-contact")
    assert request.contacts == []
    assert request.headers.get("Contact") == "*"


def test_an_escaped_user_reads_plain_and_writes_escaped() -> None:
    uri = request_of("odd-escaped-user").request_uri
    assert uri.username == "+12025550123"
    assert str(uri) == "sip:%2B12025550123@example.com"


def test_max_forwards_may_be_missing() -> None:
    assert "Max-Forwards" not in request_of("odd-no-max-forwards").headers


def test_a_response_without_a_reason_keeps_its_status() -> None:
    message = parse(FILES["golden-no-reason"])
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (486, "")
