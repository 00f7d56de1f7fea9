from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from switch.rtp.packet import Header, header_of, write_header
from tests.switch.rtp.single import RtpPacket, parse_packet

PLAIN = bytes.fromhex("80 80 0001 000000a0 deadbeef".replace(" ", "")) + b"\xff" * 160
WITH_EVERYTHING = bytes.fromhex(
    "b2 65 fffe 80000001 01020304"  # P, X, two CSRCs; payload type 101
    "0a0b0c0d 0e0f1011"
    "bede 0001 aabbccdd"  # extension of one word
    "05 0a 0320"  # payload: digit 5, volume 10, duration 800
    "00000004".replace(" ", "")
)
INVALID = {
    "empty": b"",
    "shorter_than_a_header": PLAIN[:11],
    "version_1": b"\x40" + PLAIN[1:],
    "rtcp_sender_report": b"\x80\xc8" + bytes(26),
    "rtcp_goodbye": b"\x81\xcb" + bytes(10),
    "csrcs_beyond_the_end": b"\x8f" + PLAIN[1:40],
    "extension_head_beyond_the_end": b"\x90" + PLAIN[1:14],
    "extension_beyond_the_end": b"\x90" + PLAIN[1:12] + b"\xbe\xde\xff\xff" + bytes(20),
    "padding_longer_than_the_packet": b"\xa0" + PLAIN[1:171] + b"\xff",
    "padding_of_zero": b"\xa0" + PLAIN[1:171] + b"\x00",
}


def header(packet: bytes) -> Header:
    octets = np.full(1024, 0x5A, dtype=np.uint8)  # what an earlier packet left behind
    octets[: len(packet)] = np.frombuffer(packet, dtype=np.uint8)
    return header_of(octets, len(packet))


def test_plain_packet_is_read_and_written_to_the_same_octets() -> None:
    packet = parse_packet(PLAIN)
    assert packet == RtpPacket(
        payload_type=0,
        marker=True,
        sequence=1,
        timestamp=160,
        ssrc=0xDEADBEEF,
        payload=b"\xff" * 160,
    )
    assert packet.to_bytes() == PLAIN


def test_csrcs_extension_and_padding_are_passed_over() -> None:
    packet = parse_packet(WITH_EVERYTHING)
    assert packet.payload_type == 101
    assert packet.sequence == 0xFFFE
    assert packet.timestamp == 0x80000001
    assert packet.csrc == (0x0A0B0C0D, 0x0E0F1011)
    assert packet.payload == bytes.fromhex("050a0320")


@pytest.mark.parametrize("name", INVALID)
def test_what_is_no_rtp_is_refused_by_gateway_and_phones(name: str) -> None:
    with pytest.raises(ValueError, match="RTP"):
        parse_packet(INVALID[name])
    assert not header(INVALID[name]).valid


@given(st.binary(max_size=1024))
@example(PLAIN)
@example(WITH_EVERYTHING)
def test_gateway_and_phones_agree_on_any_octets(data: bytes) -> None:
    found = header(data)
    try:
        packet = parse_packet(data)
    except ValueError:
        assert not found.valid
        return
    assert found.valid
    assert (found.sequence, found.timestamp) == (packet.sequence, packet.timestamp)
    assert found.ssrc == packet.ssrc
    assert found.marker_and_type == packet.marker << 7 | packet.payload_type
    assert data[found.start : found.start + found.length] == packet.payload


def test_numbers_are_cut_to_their_bits_when_a_header_is_written() -> None:
    octets = np.zeros(172, dtype=np.uint8)
    write_header(octets, 0x80, 0x1FFFF, 1 << 32, 1)
    assert parse_packet(octets.tobytes()) == RtpPacket(
        payload_type=0, marker=True, sequence=0xFFFF, timestamp=0, ssrc=1, payload=bytes(160)
    )
    write_header(octets, 101, 7, 0xFFFFFFFF, 0xFFFFFFFF)
    second = parse_packet(octets.tobytes())
    assert (second.payload_type, second.timestamp, second.ssrc) == (101, 0xFFFFFFFF, 0xFFFFFFFF)
