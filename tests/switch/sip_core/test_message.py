"""Headers, values and messages as the layers above use them."""

from __future__ import annotations

import pytest

from switch.errors import LocalProtocolError, RemoteProtocolError
from switch.sip.headers import SINGLE_IN_REQUESTS, CSeq, Headers, Via
from switch.sip.limits import MessageLimits
from switch.sip.message import Request, Response
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.uri import NameAddr, Uri
from switch.sip.writing import make_response, serialize
from tests.switch.sip_core.peer import make_request


def test_headers_are_case_insensitive_ordered_and_know_compact_forms() -> None:
    headers = Headers([("v", "one"), ("VIA", "two"), ("x-own-thing", "3")])
    assert headers.get("Via") == headers.get("via") == headers.get("V") == "one"
    assert headers.get_all("Via") == ["one", "two"]
    assert "vIa" in headers
    assert "Route" not in headers
    assert list(headers.items()) == [("Via", "one"), ("Via", "two"), ("X-Own-Thing", "3")]
    assert len(headers) == 3


def test_headers_change_in_place() -> None:
    headers = Headers()
    headers.add("To", "x")
    headers.prepend("Via", "low")
    headers.prepend("Via", "top")
    headers.replace_top("Via", "marked")
    assert list(headers.items()) == [("Via", "marked"), ("Via", "low"), ("To", "x")]
    headers.set("Via", "only")
    headers.remove("To")
    headers.remove("To")
    assert list(headers.items()) == [("Via", "only")]
    assert headers.get("To") is None
    assert headers.get_all("To") == []


def test_a_copy_is_independent() -> None:
    headers = Headers([("Route", "a")])
    twin = headers.copy()
    twin.add("Route", "b")
    assert headers.get_all("Route") == ["a"]
    assert headers != twin
    headers.get_all("Route").append("c")
    assert headers.get_all("Route") == ["a"]


@pytest.mark.parametrize("value", ["a\r\nEvil: 1", "a\nb", "a\rb", "a\0b"])
def test_line_breaks_cannot_be_smuggled_into_values(value: str) -> None:
    headers = Headers([("Via", "x")])
    for change in (headers.set, headers.add, headers.prepend, headers.replace_top):
        with pytest.raises(ValueError, match="Via"):
            change("Via", value)
    with pytest.raises(ValueError, match="request line"):
        Request("INVITE", "sip:a\r\nEvil: 1")
    with pytest.raises(ValueError, match="status line"):
        Response(200, "OK\r\nEvil: 1")
    with pytest.raises(ValueError, match="header name"):
        headers.add("Evil\r\nName", "x")


def test_tokens_are_gathered_over_lines() -> None:
    headers = Headers([("Supported", "timer, 100rel"), ("Supported", "path")])
    assert headers.tokens("Supported") == ["timer", "100rel", "path"]
    assert headers.tokens("Require") == []


def test_a_changed_header_is_parsed_anew() -> None:
    request = make_request(branch="z9hG4bK1")
    assert request.from_.tag == "a"
    request.headers.set("From", "<sip:x@example.com>;tag=z")
    assert request.from_.tag == "z"
    assert request.top_via.branch == "z9hG4bK1"
    request.headers.prepend("Via", "SIP/2.0/TCP h;branch=z9hG4bK2")
    assert request.top_via.branch == "z9hG4bK2"
    request.uri = "sip:other@example.com"
    assert request.request_uri.user == "other"


def test_what_a_message_of_ours_lacks_is_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError, match="From"):
        _ = Request("INVITE", "sip:a").from_


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@example.com",
        "sips:1001@example.com:5061;transport=tcp;lr",
        "sip:[2001:db8::1]:5060",
        "sip:a;b=c?d/e@example.com;x=y?Subject=hi&Priority=1",
        "sip:%41lice:secret@example.com",
        "sip:example.com",
        "tel:+12025550123;ext=5",
        "urn:service:sos",
        "mailto:bob@example.com",
    ],
)
def test_uris_are_written_as_they_were_read(text: str) -> None:
    assert str(Uri.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "alice", "sip:", "sip:a@", "sip:a b@c", "sip:a@b@c", "sip:h:0", "sip:h:99999", "sip:<h>",
     "sip:h;a=1;A=2", "tel:", "1x:y", "sip:[::1", "sip:h:٣٣"],
)  # fmt: skip
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"URI|port|parameter"):
        Uri.parse(text)


def test_other_schemes_can_be_recognised() -> None:
    uri = Uri.parse("HTTP://example.com")
    assert (uri.scheme, uri.opaque, uri.host) == ("http", "//example.com", "")


def test_the_parts_of_a_uri() -> None:
    uri = Uri.parse("SIP:al%20ice:pw@EXAMPLE.com:5070;Transport=tcp;lr")
    assert (uri.scheme, uri.host, uri.port) == ("sip", "example.com", 5070)
    assert (uri.username, uri.transport) == ("al ice", "TCP")
    assert uri.params == {"transport": "tcp", "lr": None}


def test_without_brackets_parameters_belong_to_the_header() -> None:
    bare = NameAddr.parse("sip:bob@example.com;tag=1")
    inside = NameAddr.parse("<sip:bob@example.com;tag=1>")
    assert (bare.tag, inside.tag) == ("1", None)
    assert inside.uri.params == {"tag": "1"}


def test_tags_are_set_and_taken_off() -> None:
    address = NameAddr.parse('"A, B" <sip:bob@example.com>;x=1;tag=old')
    assert str(address.with_tag("new")) == '"A, B" <sip:bob@example.com>;x=1;tag=new'
    assert address.with_tag(None).tag is None


def test_via_and_cseq_are_written_as_they_were_read() -> None:
    text = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport=5061;received=192.0.2.9"
    via = Via.parse(text)
    assert str(via) == text
    assert (via.params["rport"], via.received) == ("5061", "192.0.2.9")
    assert via.sent_by == "192.0.2.1:5060"
    assert Via.parse("SIP/2.0/TLS h;rport").params == {"rport": None}
    assert Via.parse("SIP/2.0/TLS H").sent_by == "h:5061"
    assert str(CSeq.parse("7 \t INVITE")) == "7 INVITE"


def test_a_response_copies_what_it_must_and_tags_to_once() -> None:
    request = make_request(branch="z9hG4bK1", extra=(("Via", "SIP/2.0/UDP 192.0.2.8;branch=b"),))
    response = make_response(
        request,
        200,
        to_tag="t",
        headers=[("Contact", "<sip:me@192.0.2.2>")],
        body=b"v=0\r\n",
        content_type="application/sdp",
    )
    wire = parse(serialize(response))
    assert isinstance(wire, Response)
    assert (wire.status, wire.reason) == (200, "OK")
    assert wire.headers.get_all("Via") == request.headers.get_all("Via")
    assert (wire.to.tag, wire.from_.tag, wire.call_id) == ("t", "a", request.call_id)
    assert str(wire.cseq) == "1 INVITE"
    assert (wire.body, wire.content_type) == (b"v=0\r\n", "application/sdp")
    assert wire.headers.get("Content-Length") == "5"
    assert request.to.tag is None, "the request is left as it was"
    in_dialog = make_response(make_request("BYE", branch="z9hG4bK2", to_tag="b"), 200, to_tag="t")
    assert in_dialog.to.tag == "b"


def test_content_length_is_exact_whatever_the_headers_said() -> None:
    request = make_request("MESSAGE", branch="z9hG4bK1")
    request.headers.set("Content-Length", "999")
    request.body = "é".encode()
    assert b"Content-Length: 2\r\n\r\n" in serialize(request)


def test_the_limits_can_be_narrower() -> None:
    data = serialize(make_request(branch="z9hG4bK1"))
    limits = MessageLimits(max_head=len(data) - 1)
    with pytest.raises(MalformedMessageError) as refused:
        parse(data, limits)
    assert refused.value.status == 513
    assert isinstance(refused.value, RemoteProtocolError)
    assert parse(data, MessageLimits(max_head=len(data)))


@pytest.mark.parametrize("in_one_line", [True, False])
@pytest.mark.parametrize("name", ["Contact", "Record-Route", "Via"])
def test_values_are_counted_however_they_are_written(name: str, in_one_line: bool) -> None:
    """A head of 16 KB has room for thousands of them in one line, each of which would be looked into."""
    request = serialize(make_request(branch="z9hG4bK1"))
    room = (
        1 + MessageLimits().max_headers - len(parse(request).headers)
    )  # Content-Length does not count
    limits = MessageLimits(max_head=1 << 20)

    def with_more(count: int) -> bytes:
        value = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2" if name == "Via" else "<sip:192.0.2.1>"
        lines = [", ".join([value] * count)] if in_one_line else [value] * count
        head = "".join(f"\r\n{name}: {line}" for line in lines).encode()
        return request.replace(b"\r\n\r\n", head + b"\r\n\r\n")

    whole = parse(with_more(room), limits)
    assert parse(serialize(whole), limits)
    with pytest.raises(MalformedMessageError) as refused:
        parse(with_more(room + 1), limits)
    assert (refused.value.status, refused.value.partial is not None) == (513, True)


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\ue000", "\x85", "\u2028"])
@pytest.mark.parametrize("name", ["Contact", "Record-Route", "From"])
def test_a_uri_with_characters_that_cannot_be_shown_is_refused(name: str, hidden: str) -> None:
    """It would become the Request-URI of a BYE, which could then not be written."""
    request = make_request(branch="z9hG4bK1")
    request.headers.set(name, f"<sip:a{hidden}@192.0.2.1>;tag=a")
    with pytest.raises(MalformedMessageError) as refused:
        parse(serialize(request))
    assert refused.value.status == 400
    success = make_response(make_request(branch="z9hG4bK1"), 200, to_tag="b")
    success.headers.set(name, f"<sip:a{hidden}@192.0.2.1>;tag=a")
    with pytest.raises(MalformedMessageError):
        parse(serialize(success))


def test_octets_that_are_no_text_do_not_make_the_answer_grow() -> None:
    data = serialize(make_request(branch="z9hG4bK1")).replace(b"alice", b"\xd9" * 2000)
    with pytest.raises(MalformedMessageError) as refused:
        parse(data)
    assert refused.value.partial is not None
    assert len(serialize(make_response(refused.value.partial, 400))) < len(data)


@pytest.mark.parametrize(
    "bad",
    [
        '"\x07" <sip:a@h>;tag=1',
        '<sip:a@h>;tag=1;x="\\\x00"',
        "<sip:a@h>;tag=1\\\x00",
        "<sip:a@h>;tag=1;x=\\\x00",
        "no\\\x00quotes <sip:a@h>;tag=1",
        '"a\\\nline" <sip:a@h>;tag=1',
        '"a\\\rline" <sip:a@h>;tag=1',
    ],
)
def test_control_characters_may_stand_behind_a_backslash_in_a_display_name_only(bad: str) -> None:
    good = make_request(branch="z9hG4bK1")
    octets = serialize(good)
    name = octets.replace(b"From: ", b'From: "bell \\\x07\\\x00 end" ')
    message = parse(name)
    assert message.from_.display_name == "bell  end"
    assert b'"bell \\\x07\\\x00 end"' in serialize(message), "given back as it came"
    other = octets.replace(b"From: <sip:alice@192.0.2.1>;tag=a", b"From: " + bad.encode())
    with pytest.raises(MalformedMessageError):
        parse(other)


def test_elsewhere_an_escaped_control_character_is_left_out() -> None:
    octets = serialize(make_request(branch="z9hG4bK1", extra=(("Record-Route", "<sip:x;lr>"),)))
    message = parse(octets.replace(b"<sip:x;lr>", b'"a\\\x00\\b" <sip:x;lr>'))
    assert message.headers.get("Record-Route") == '"a\\b" <sip:x;lr>'


def with_lines(message: Request | Response, *lines: str) -> bytes:
    return serialize(message).replace(b"\r\n\r\n", "\r\n".join(["", *lines, "", ""]).encode())


@pytest.mark.parametrize("name", sorted(SINGLE_IN_REQUESTS))
def test_a_header_that_is_no_list_stands_once_in_a_request(name: str) -> None:
    request = make_request("OPTIONS", branch="z9hG4bK1")
    line = f"{name}: {request.headers.get(name) or 1}"
    once = 0 if name in request.headers or name == "Content-Length" else 1
    with pytest.raises(MalformedMessageError, match=f"{name} comes twice") as refused:
        parse(with_lines(request, *[line] * (once + 1)))
    assert refused.value.status == 400


def test_its_compact_form_is_the_same_header() -> None:
    with pytest.raises(MalformedMessageError, match="Referred-By comes twice"):
        parse(with_lines(make_request(branch="z9hG4bK1"), "b: <sip:a@b>", "Referred-By: <sip:c@d>"))


@pytest.mark.parametrize("name", ["Subject", "Organization", "User-Agent", "Server"])
def test_words_for_people_may_come_twice_as_gateways_on_the_way_add_theirs(name: str) -> None:
    request = parse(with_lines(make_request(branch="z9hG4bK1"), f"{name}: a", f"{name}: b"))
    assert request.headers.get(name) == "a"


@pytest.mark.parametrize("method", ["ACK", "BYE", "CANCEL"])
def test_no_call_stands_for_good_for_a_header_that_comes_twice(method: str) -> None:
    request = make_request(method, branch="z9hG4bK1")
    assert parse(with_lines(request, "Date: a", "Date: b")).headers.get("Date") == "a"


def test_a_response_is_not_lost_for_a_header_that_comes_twice() -> None:
    response = make_response(make_request(branch="z9hG4bK1"), 200, to_tag="b")
    assert parse(with_lines(response, "Date: a", "Date: b")).headers.get("Date") == "a"
