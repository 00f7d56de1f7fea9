"""What the valid messages of RFC 4475 mean to the parser: nothing of them is lost or bent."""

from __future__ import annotations

import pytest

from switch.sdp.description import parse_description
from switch.sip.message import Request, Response
from switch.sip.parsing import parse
from switch.sip.writing import serialize
from tests.torture.cases import BY_NAME, CASES, Case


def request(name: str) -> Request:
    message = parse(BY_NAME[name].data)
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = parse(BY_NAME[name].data)
    assert isinstance(message, Response)
    return message


WELL_FORMED = [case for case in CASES if not case.malformed]


@pytest.mark.parametrize("case", WELL_FORMED, ids=lambda case: case.name)
def test_written_again_it_says_the_same(case: Case) -> None:
    first = parse(case.data)
    second = parse(serialize(first))
    assert type(first) is type(second)
    assert first.body == second.body
    first.headers.set("Content-Length", "0")
    second.headers.set("Content-Length", "0")
    assert dict(first.headers.grouped()) == dict(second.headers.grouped())


def test_wsinv() -> None:
    message = request("wsinv")
    assert message.request_uri.params == {"unknownparam": None}
    assert (message.to.tag, message.from_.tag) == ("1918181833n", "98asjd8")
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert (message.cseq.seq, message.cseq.method) == (9, "INVITE")
    assert [via.transport for via in message.vias] == ["UDP", "TCP", "UDP"]
    assert [via.branch for via in message.vias] == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]
    assert message.headers.get("Subject") == ""
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get_all("UnknownHeaderWithUnusualValue") == [";;,,;;,;"]
    assert message.routes[0].uri.params == {
        "lr": None, "unknownwith": "value", "unknown-no-value": None,
    }  # fmt: skip
    contact = message.contacts[0]
    assert contact.display_name == 'Quoted string ""'
    assert contact.params == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    assert [media.kind for media in parse_description(message.body).media] == ["audio", "video"]


def test_intmeth() -> None:
    message = request("intmeth")
    assert message.method == message.cseq.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.request_uri.user == (
        "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    )
    assert message.request_uri.username == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert message.to.display_name == "BEL: NUL: DEL:", "what cannot be shown is not kept"
    assert message.from_.display_name == "token1~` token2'+_ token3*%!.-"
    assert message.from_.params["fromparam''~+*_!.-%"] == '"работающий"'
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def test_escapes() -> None:
    message = request("esc01")
    assert message.request_uri.user == "sips%3Auser%40example.com"
    assert message.request_uri.username == "sips:user@example.com"
    assert message.to.uri.username == "user"
    assert message.from_.uri.username == "I have spaces"
    (contact,) = message.contacts
    assert contact.uri.username == "caller"
    assert "lr" not in contact.uri.params, "an escaped name is another name"
    nulls = request("escnull")
    assert [contact.uri.user for contact in nulls.contacts] == ["%00", "%00%00"]
    assert nulls.to.uri.username == "null-\0-null"
    percent = request("esc02")
    assert percent.method == "RE%47IST%45R"
    assert percent.to.display_name == "%Z%45"
    assert [contact.uri.username for contact in percent.contacts] == ["alias1", "alias3"]


def test_lengths() -> None:
    message = request("longreq")
    assert len(message.headers.get_all("Via")) == 34
    assert message.top_via.branch is None
    assert message.to.display_name == f"I have a user name of {'extreme' * 10} proportion"
    assert len(message.from_.tag or "") == 155
    assert message.to.uri.port == 6000
    twice = request("dblreq")
    assert (twice.method, twice.body) == ("REGISTER", b"")
    assert len(request("mpart01").body) == 553


def test_unusual_addresses() -> None:
    assert request("lwsdisp").from_.display_name == "caller"
    assert request("semiuri").request_uri.username == "user;par=u@example.net"
    assert request("semiuri").request_uri.host == "example.com"
    assert len(request("semiuri").headers.tokens("Accept")) == 6
    assert request("ipv6-good").request_uri.host == "[2001:db8::10]"
    assert request("port-ambiguous").request_uri.host == "[2001:db8::10:5070]"
    assert request("port-ambiguous").request_uri.port is None
    assert request("port-unambiguous").request_uri.port == 5070
    with_brackets = request("via-received-param-with-delim").top_via.received
    without = request("via-received-param-no-delim").top_via.received
    assert (with_brackets, without) == ("[2001:db8::9:255]", "2001:db8::9:255")


def test_reasons() -> None:
    assert response("unreason").reason == "= 2**3 * 5**2 но сто девяносто девять - простое"
    assert response("unreason").status == 200
    assert (response("noreason").status, response("noreason").reason) == (100, "")


def test_both_families_in_one_description() -> None:
    audio, video = parse_description(request("mult-ip-in-sdp").body).media
    assert (audio.address, video.address) == ("192.0.2.1", "2001:db8::1")
