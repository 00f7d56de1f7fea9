from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.rtp.packet import parse_headers, write_headers
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


def columns(*packets: bytes):  # type: ignore[no-untyped-def]
    buffer = np.zeros((max(4, len(packets)), 1024), dtype=np.uint8)
    buffer[:] = 0x5A  # what earlier packets left behind
    for row, packet in enumerate(packets):
        buffer[row, : len(packet)] = np.frombuffer(packet, dtype=np.uint8)
    return parse_headers(buffer, np.array([len(p) for p in packets], dtype=np.int64))


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
def test_what_is_no_rtp_is_refused_alone_and_in_a_batch(name: str) -> None:
    with pytest.raises(ValueError, match="RTP"):
        parse_packet(INVALID[name])
    assert columns(PLAIN, INVALID[name], WITH_EVERYTHING).valid.tolist() == [True, False, True]


def test_rtcp_is_told_apart() -> None:
    assert columns(PLAIN, INVALID["rtcp_goodbye"]).rtcp.tolist() == [False, True]


def test_a_batch_of_plain_packets_takes_the_short_way() -> None:
    assert columns(PLAIN, PLAIN).plain
    assert not columns(PLAIN, WITH_EVERYTHING).plain


@given(st.lists(st.binary(max_size=1024), min_size=1, max_size=8))
def test_batch_and_single_agree_on_any_octets(packets: list[bytes]) -> None:
    found = columns(*packets)
    for row, data in enumerate(packets):
        try:
            packet = parse_packet(data)
        except ValueError:
            assert not found.valid[row]
            continue
        assert found.valid[row]
        assert int(found.sequence[row]) == packet.sequence
        assert int(found.timestamp[row]) == packet.timestamp
        assert int(found.ssrc[row]) == packet.ssrc
        start, length = int(found.start[row]), int(found.length[row])
        assert data[start : start + length] == packet.payload


def test_headers_of_a_batch_are_written_as_single_ones_are() -> None:
    buffer = np.zeros((2, 172), dtype=np.uint8)
    write_headers(
        buffer.view(">u4"),
        np.array([0x80, 101]),
        np.array([0x1FFFF, 7]),
        np.array([1 << 32, 0xFFFFFFFF]),
        np.array([1, 0xFFFFFFFF]),
    )
    assert parse_packet(buffer[0].tobytes()) == RtpPacket(
        payload_type=0, marker=True, sequence=0xFFFF, timestamp=0, ssrc=1, payload=bytes(160)
    )
    second = parse_packet(buffer[1].tobytes())
    assert (second.payload_type, second.timestamp, second.ssrc) == (101, 0xFFFFFFFF, 0xFFFFFFFF)
