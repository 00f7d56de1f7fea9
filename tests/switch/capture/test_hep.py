import socket
import struct

import pytest

from switch.capture.hep import LONGEST, Encoder, Kind
from switch.capture.homer import Homer
from switch.capture.masking import keyless, readable
from switch.capture.octets import call_id
from switch.capture.wire_log import log_message
from switch.sip.flow import Flow, Transport
from switch.sip.info_digits import digit_in
from switch.sip.parsing import parse

INVITE = (
    b"INVITE sip:4000@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9\r\n"
    b"Call-ID: abc@example.com\r\nCSeq: 1 INVITE\r\n\r\n"
)
FLOW = Flow(Transport.UDP, ("192.0.2.9", 5062), ("192.0.2.1", 5060))


def decode(packet: bytes) -> dict[int, bytes]:
    """A reader of its own, by the specification: chunks of vendor 0 by type."""
    assert packet[:4] == b"HEP3"
    (length,) = struct.unpack("!H", packet[4:6])
    assert length == len(packet)
    chunks: dict[int, bytes] = {}
    at = 6
    while at < length:
        vendor, kind, size = struct.unpack("!HHH", packet[at : at + 6])
        assert vendor == 0
        assert size >= 6
        assert kind not in chunks
        chunks[kind] = packet[at + 6 : at + size]
        at += size
    assert at == length
    return chunks


def packet(flow: Flow = FLOW, *, is_out: bool = False, key: str = "", agent: int = 2001) -> bytes:
    return Encoder(agent, key).packet(
        INVITE,
        flow,
        is_out=is_out,
        kind=Kind.SIP,
        at=1_700_000_000.25,
        correlation=b"abc@example.com",
    )


def test_every_chunk_of_a_message_that_came_in() -> None:
    assert decode(packet(key="secret")) == {
        1: b"\x02",
        2: b"\x11",
        3: bytes([192, 0, 2, 9]),
        4: bytes([192, 0, 2, 1]),
        7: struct.pack("!H", 5062),
        8: struct.pack("!H", 5060),
        9: struct.pack("!I", 1_700_000_000),
        10: struct.pack("!I", 250_000),
        11: b"\x01",
        12: struct.pack("!I", 2001),
        14: b"secret",
        15: INVITE,
        17: b"abc@example.com",
    }


def test_what_goes_out_has_us_as_its_source_and_no_key_stands_where_there_is_none() -> None:
    chunks = decode(packet(is_out=True))
    assert (chunks[3], chunks[7]) == (bytes([192, 0, 2, 1]), struct.pack("!H", 5060))
    assert 14 not in chunks


def test_ipv6_and_tls() -> None:
    flow = Flow(Transport.TLS, ("2001:db8::9", 40000), ("2001:db8::1", 5061), 7)
    chunks = decode(packet(flow))
    assert (chunks[1], chunks[2]) == (b"\x0a", b"\x06")
    assert chunks[5] == socket.inet_pton(socket.AF_INET6, "2001:db8::9")
    assert chunks[6] == socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    assert 3 not in chunks


def test_addresses_of_two_kinds_become_one() -> None:
    chunks = decode(packet(Flow(Transport.TCP, ("192.0.2.9", 1), ("::", 2))))
    assert chunks[5] == socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.9")


@pytest.mark.parametrize("size", [64_000, 65_400, 65_529, 65_534, 65_535, 70_000])
def test_what_does_not_fit_is_no_packet(size: int) -> None:
    def make() -> bytes:
        return Encoder(1, "k" * 128).packet(
            b"x" * size, FLOW, is_out=True, kind=Kind.SIP, at=1.0, correlation=b"c" * 256
        )

    if size < 65_000:
        assert decode(make())[15] == b"x" * size
    else:
        with pytest.raises(ValueError, match="do not fit"):
            make()


def test_a_key_of_wide_letters_takes_its_room() -> None:
    encoder = Encoder(1, "\N{TELEPHONE RECEIVER}" * 128)  # 512 octets
    flow = Flow(Transport.TLS, ("2001:db8::9", 40000), ("2001:db8::1", 5061), 7)

    def make(size: int) -> bytes:
        return encoder.packet(
            b"x" * size, flow, is_out=True, kind=Kind.SIP, at=1.0, correlation=b"c"
        )

    most = LONGEST - len(make(0))
    assert len(decode(make(most))[15]) == most
    with pytest.raises(ValueError, match="do not fit"):
        make(most + 1)


def test_figures_are_found_by_the_call_id_of_their_messages() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        homer = Homer(receiver.getsockname(), Encoder(7), lambda: 1.0)
        long = "a" * 1000
        homer.message(INVITE.replace(b"abc@example.com", long.encode()), FLOW, False)
        homer.report(b"{}", FLOW, True, long)
        homer.close()
        first, second = decode(receiver.recv(65536)), decode(receiver.recv(65536))
    assert first[17] == second[17]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (INVITE, b"abc@example.com"),
        (b"OPTIONS x SIP/2.0\r\ni:  short \r\n\r\n", b"short"),
        (b"OPTIONS x SIP/2.0\r\ncall-id\t:\tc1\r\n\r\n", b"c1"),
        (b"OPTIONS x SIP/2.0\r\n\r\n", b""),
        (b"", b""),
        (b"x\r\nCall-ID: " + b"a" * 1000, b"a" * 256),
        (b"x\r\nCall-ID: cut", b"cut"),
        (b"NOTIFY x SIP/2.0\r\ni: own\r\n\r\nSIP/2.0 200 OK\r\nCall-ID: another\r\n", b"own"),
        (b"\r\n\r\nBYE x SIP/2.0\r\nVia: y\r\nCall-ID: own\r\n\r\nCall-ID: another\r\n", b"own"),
    ],
)
def test_the_call_id_is_found_without_parsing(data: bytes, expected: bytes) -> None:
    assert call_id(data) == expected


def test_packets_arrive_and_a_server_that_is_away_costs_nothing() -> None:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(10)
    homer = Homer(receiver.getsockname(), Encoder(7), lambda: 1_700_000_000.5)
    homer.message(INVITE, FLOW, False)
    homer.report(b'{"packets": 5}', FLOW, True, "abc@example.com")
    first, second = decode(receiver.recv(65536)), decode(receiver.recv(65536))
    assert (first[15], first[17]) == (INVITE, b"abc@example.com")
    assert (second[11], second[15]) == (b"\x05", b'{"packets": 5}')
    receiver.close()
    for _ in range(20):  # its host refuses
        homer.message(INVITE, FLOW, False)
    homer.message(b"x" * 70_000, FLOW, False)
    homer.message(INVITE, Flow(Transport.UDP, ("no address", 1), ("192.0.2.1", 2)), False)
    homer.message(INVITE, Flow(Transport.UDP, ("192.0.2.1", 70000), ("192.0.2.1", 2)), False)
    assert homer.dropped >= 4
    assert homer.sent + homer.dropped == 25
    homer.close()
    homer.message(INVITE, FLOW, False)
    assert homer.sent + homer.dropped == 26


@pytest.mark.parametrize("header", ["Authorization", "PROXY-AUTHORIZATION"])
@pytest.mark.parametrize("written", ['response="{}"', 'RESPONSE = "{}"', "response={}"])
def test_the_answer_to_a_challenge_is_not_shown_to_anybody(header: str, written: str) -> None:
    answer = "0123456789abcdef" * 4
    shows = (
        f'{header}: Digest username="1001", nonce="n1",\r\n {written.format(answer)}, qop=auth\r\n'
    )
    message = f"REGISTER sip:a SIP/2.0\r\n{shows}\r\n".encode()
    shown = keyless(message)
    assert shown == message.replace(answer.encode(), b"*" * 64)


@pytest.mark.parametrize(
    "written",
    [
        "Authorization: Basic {}",
        "proxy-authorization:\r\n basic\r\n\t{}",
        "Authorization: Bearer {}",
    ],
)
def test_passwords_are_not_shown_to_anybody(written: str) -> None:
    password = "MTAwMTpsYWItMTAwMQ=="
    message = f"REGISTER sip:a SIP/2.0\r\n{written.format(password)}\r\nTo: x\r\n\r\n".encode()
    assert keyless(message) == message.replace(password.encode(), b"*" * len(password))


def test_keys_of_sound_are_not_shown_to_anybody() -> None:
    """With as many octets as before: Content-Length goes on being right."""
    key = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij0123"
    message = (
        f"INVITE sip:a SIP/2.0\r\n\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31\r\n"
        f"a=ice-pwd:{key}\r\n"
    ).encode()
    shown = keyless(message)
    assert len(shown) == len(message)
    assert key.encode() not in shown
    assert b"AES_CM_128_HMAC_SHA1_80 inline:" in shown
    assert b"|2^31" in shown
    assert keyless(b"OPTIONS sip:a SIP/2.0\r\n\r\n") == b"OPTIONS sip:a SIP/2.0\r\n\r\n"


@pytest.mark.parametrize("line", ["k=clear:SECRET", "a=key-mgmt:mikey SECRET", "a=ice-pwd:SECRET"])
def test_no_kind_of_key_is_shown(line: str) -> None:
    message = f"INVITE sip:a SIP/2.0\r\n\r\nv=0\r\n{line}\r\na=sendrecv\r\n".encode()
    shown = keyless(message)
    assert len(shown) == len(message)
    assert b"SECRET" not in shown
    assert shown.endswith(b"\r\na=sendrecv\r\n")


@pytest.mark.parametrize(
    "line",
    [
        "a=crypto:1  AES_CM_128_HMAC_SHA1_80  inline:{}",
        "a=crypto:1\tAES_CM_128_HMAC_SHA1_80\tinline:{}",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 INLINE:{}|2^31",
        "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{}",
        "a=cryptoscale:1 client AES_CM_128_HMAC_SHA1_80 inline:{}|2^31|1:1",
        "a=acap:2 key-mgmt:mikey {}",
        "a=acap:3 ice-pwd:{}",
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("method", ["INVITE", "INFO"])
def test_nor_where_a_key_is_written_in_another_way(line: str, end: str, method: str) -> None:
    """As a capability (RFC 5939), with other blanks, letters and ends of lines."""
    key = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij0123"
    body = end.join(("v=0", line.format(key), "a=sendrecv", ""))
    message = f"{method} sip:a SIP/2.0\r\n\r\n{body}".encode()
    octets = keyless(message)
    assert len(octets) == len(message)
    assert key.encode() not in octets
    assert b"a=sendrecv" in octets
    shown = readable(message)
    assert key not in shown
    assert "a=sendrecv" in shown


@pytest.mark.parametrize(
    ("kind", "body", "blanked"),
    [
        ("application/dtmf-relay", "Signal=7\r\nDuration=160\r\n", "Signal=?\r\nDuration=160\r\n"),
        ("application/dtmf", "7", "?"),
        ("application/media_control+xml", "Signal=7", "Signal=7"),
    ],
)
def test_nobody_reads_what_was_keyed(kind: str, body: str, blanked: str) -> None:
    """By INFO; it may be the number of a card."""
    head = f"INFO sip:a SIP/2.0\r\nContent-Type: {kind}\r\n\r\n"
    assert keyless((head + body).encode()) == (head + blanked).encode()
    assert "7" not in readable((head + body).encode())


@pytest.mark.parametrize("before", ["", "\r\n", "\r\n\r\n", "\r\n\n"])
@pytest.mark.parametrize("gap", [" ", "\r\n ", " \r\n\t \r\n "])
def test_nor_in_a_message_that_is_written_in_another_way(before: str, gap: str) -> None:
    head = (
        f"{before}INFO sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:b@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INFO\r\n"
        f"Content-Type:{gap}application/dtmf-relay\r\n\r\n"
    )
    body = "Signal=7\r\nDuration=250\r\n"
    message = parse((head + body).encode())
    kind = message.headers.get("Content-Type") or ""
    assert digit_in(kind, message.body) == ("7", 250), "it is understood"
    assert keyless((head + body).encode()) == (head + body.replace("7", "?")).encode()
    assert "Signal=7" not in readable((head + body).encode())


def test_a_password_in_clear_is_not_shown() -> None:
    message = b"REGISTER sip:a SIP/2.0\r\nAuthorization: Basic MTAwMTpwYXNz\r\n\r\n"
    assert keyless(message) == message.replace(b"MTAwMTpwYXNz", b"*" * 12)


def test_the_log_shows_as_little(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "switch.wire")
    head = b"INVITE sip:a SIP/2.0\r\nAuthorization: Digest response=SECRET\r\n\r\n"
    log_message(head + b"k=clear:SECRET\x1b[2J\r\n", FLOW, False)
    [line] = caplog.messages
    assert line.startswith(
        "from UDP ('192.0.2.9', 5062):\nINVITE sip:a SIP/2.0\nAuthorization: Digest"
    )
    assert "SECRET" not in line
    assert "\x1b" not in line
