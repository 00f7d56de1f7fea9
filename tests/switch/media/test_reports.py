"""RTCP of the engine: what it says when, what it makes of what it is told."""

from __future__ import annotations

import itertools
from collections import deque

import pytest

from switch.ids import LegId
from switch.media.events import LegJudged
from switch.media.ports import Stray
from tests.switch.media.studio import Studio
from tests.switch.rtp.rtcp_bytes import (
    NTP_EPOCH,
    Block,
    Report,
    description,
    goodbye,
    packet,
    read,
    receiver_report,
    sender_report,
)

CALLER, AGENT = LegId("caller"), LegId("agent")
REPORTS_AT = ("192.0.2.1", 4001)
FIRST_REPORT_FRAMES = 250


@pytest.fixture
def studio() -> Studio:
    studio = Studio()
    studio.add("caller", 440.0)
    studio.add("agent", 700.0)
    studio.bridge("caller", "agent")
    studio.engine.exchange_reports(CALLER, REPORTS_AT, studio.now)
    return studio


def reports(studio: Studio, name: str = "caller") -> list[Report]:
    return [read(data) for data in studio.wire.reports.get(studio.parties[name].row, [])]


def tell(studio: Studio, data: bytes, name: str = "caller") -> None:
    studio.wire.arrived[studio.parties[name].row].append(data)


def own_ssrc(studio: Studio, name: str = "caller") -> int:
    return studio.parties[name].packets[0].ssrc


def test_reports_come_every_five_seconds_or_so(studio: Studio) -> None:
    """RFC 3550 section 6.3: the first after half the time, all of them jittered."""
    times = []
    for _ in range(50 * 60):
        before = len(reports(studio))
        studio.step()
        if len(reports(studio)) > before:
            times.append(studio.now - 1000.0)
    assert 0.5 * 2.5 / 1.22 <= times[0] <= 1.5 * 2.5 / 1.21
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(0.5 * 5 / 1.22 - 0.03 <= wait <= 1.5 * 5 / 1.21 + 0.03 for wait in waits)
    assert max(waits) - min(waits) > 0.5, "they would all leave at once"


def test_a_report_says_what_was_sent_and_what_came(studio: Studio) -> None:
    studio.run(FIRST_REPORT_FRAMES)
    report = reports(studio)[0]
    sent = studio.parties["caller"].packets
    assert report.kind == 200
    assert report.ssrc == own_ssrc(studio)
    assert 0 < report.packets <= len(sent)
    assert report.octets == 160 * report.packets
    assert report.ntp >> 32 >= NTP_EPOCH
    assert len(report.cname) == 16
    (block,) = report.blocks
    party = studio.parties["caller"]
    assert block.ssrc == party.ssrc
    assert block.lost == 0
    assert block.fraction == 0
    assert block.highest <= party.sequence


def test_the_clock_is_that_of_the_codec() -> None:
    """RFC 7587 section 4.1: Opus counts at 48 kHz, in sender reports and in jitter too."""
    studio = Studio()
    caller = studio.add("caller", codec="OPUS")
    studio.add("agent", codec="OPUS")
    studio.bridge("caller", "agent")
    studio.engine.exchange_reports(CALLER, REPORTS_AT, studio.now)
    while len(reports(studio)) < 2:
        caller.timestamp += 96  # 2 ms more than there were, in each frame
        studio.run(1)
    earlier, later = reports(studio)
    passed_s = (later.ntp - earlier.ntp) / 2**32
    assert later.rtp_time - earlier.rtp_time == pytest.approx(48_000 * passed_s, rel=0.01)
    assert later.blocks[0].jitter == pytest.approx(96, abs=8)
    assert studio.engine.remove_leg(CALLER).jitter_ms == pytest.approx(2.0, abs=0.2)


def test_what_is_lost_is_told_as_a_share_and_in_all(studio: Studio) -> None:
    studio.run(20)
    party = studio.parties["caller"]
    while len(reports(studio)) < 2:
        party.sequence += len(reports(studio))  # every other one is lost after the first report
        studio.run(1)
    block = reports(studio)[1].blocks[0]
    assert 120 <= block.fraction <= 128
    assert block.lost > 50
    assert block.highest == (party.sequence - 1)


def test_sequence_numbers_are_extended_over_their_wrap(studio: Studio) -> None:
    """The party begins at 65,530."""
    while len(reports(studio)) < 1:
        studio.run(1)
    first = reports(studio)[0].blocks[0].highest
    while len(reports(studio)) < 2:
        studio.run(1)
    second = reports(studio)[1].blocks[0].highest
    assert 0 < second - first < 500


def test_who_sends_nothing_reports_as_a_receiver(studio: Studio) -> None:
    studio.configure("caller", send=False)
    while not reports(studio):
        studio.step()
    studio.wire.reports.clear()
    while not reports(studio):
        studio.step()
    assert reports(studio)[0].kind == 201


def test_the_round_trip_is_what_the_peer_did_not_keep(studio: Studio) -> None:
    while not reports(studio):
        studio.step()
    came = reports(studio)[0]
    sent_at = studio.now
    studio.run(50)  # a second, of which the peer held the report for 0.9
    block = Block(own_ssrc(studio), last_sr=came.ntp >> 16 & 0xFFFFFFFF, delay=int(0.9 * 65536))
    tell(studio, receiver_report(studio.parties["caller"].ssrc, block) + description(7))
    studio.step()
    quality = studio.engine.remove_leg(CALLER).quality
    assert quality.rtt_ms == pytest.approx(1000 * (studio.now - sent_at - 0.9), abs=25)


def test_our_delay_since_its_report_is_told(studio: Studio) -> None:
    ntp = 0x1234_5678_9ABC_DEF0
    studio.run(10)
    tell(studio, sender_report(studio.parties["caller"].ssrc, ntp=ntp) + description(7))
    heard_at = studio.now
    while not reports(studio):
        studio.step()
    block = reports(studio)[0].blocks[0]
    assert block.last_sr == 0x5678_9ABC
    assert block.delay / 65536 == pytest.approx(studio.now - heard_at, abs=0.05)


def test_loss_at_the_far_end_is_kept_and_lowers_the_score(studio: Studio) -> None:
    studio.run(200)
    block = Block(own_ssrc(studio), fraction=26, lost=20, jitter=160)
    tell(studio, receiver_report(7, block))
    studio.events.clear()
    studio.run(400)
    judged = [event for event in studio.events if isinstance(event, LegJudged)]
    assert judged[0].leg == CALLER
    assert judged[0].mos < 3.6
    quality = studio.engine.remove_leg(CALLER).quality
    assert quality.remote_lost == 20
    assert quality.remote_jitter_ms == 20.0
    assert quality.mos is not None
    assert 3.5 < quality.mos < 4.4


def test_packets_that_come_too_late_lower_the_score_and_are_no_loss(studio: Studio) -> None:
    """Every tenth is 240 ms late, which is beyond what a ring waits: it is not heard."""
    studio.bridge("caller", "agent", 0.9)
    caller, agent = (studio.parties[name] for name in ("caller", "agent"))
    delayed: deque[bytes | None] = deque([None] * 12)
    for frame in range(1000):
        packet, is_late = caller.packet(), frame % 10 == 9
        delayed.append(packet if is_late else None)
        overdue = delayed.popleft()
        if overdue is not None:
            caller.send(overdue)
        studio.step([None if is_late else packet, agent.packet()])
    judged = [event for event in studio.events if isinstance(event, LegJudged)]
    assert max(event.mos for event in judged) < 3.5
    assert (
        max(report.blocks[0].fraction for report in reports(studio)) < 8
    )  # of 256; some are on the way
    totals = studio.engine.remove_leg(CALLER)
    assert totals.packets_late > 90
    assert totals.packets_lost <= 3
    assert totals.quality.mos is not None
    assert totals.quality.mos < 3.5


def test_a_good_leg_is_never_spoken_of(studio: Studio) -> None:
    studio.run(1000)
    assert not [event for event in studio.events if isinstance(event, LegJudged)]
    assert studio.engine.remove_leg(CALLER).quality.mos == pytest.approx(4.41, abs=0.01)


def test_a_leg_that_never_sounded_has_no_score() -> None:
    studio = Studio()
    studio.add("caller")
    assert studio.engine.remove_leg(CALLER).quality.mos is None


def test_goodbye_is_said_by_whom_something_was_said(studio: Studio) -> None:
    studio.run(10)
    row = studio.parties["caller"].row
    studio.engine.remove_leg(CALLER)
    assert row not in studio.wire.reports
    del studio.parties["caller"]
    studio.engine.exchange_reports(AGENT, None, studio.now)
    studio.run(250)
    assert not reports(studio, "agent")[-1].goodbye
    studio.engine.remove_leg(AGENT)
    assert reports(studio, "agent")[-1].goodbye


def test_who_left_is_not_told_goodbye(studio: Studio) -> None:
    studio.run(250)
    party = studio.parties["caller"]
    tell(studio, receiver_report(party.ssrc) + description(7) + goodbye(party.ssrc))
    studio.step()
    studio.engine.remove_leg(CALLER)
    assert not any(report.goodbye for report in reports(studio))


def test_feedback_and_extended_reports_are_passed_over(studio: Studio) -> None:
    studio.run(20)
    stray = studio.engine.packets_stray
    for kind in (204, 205, 206, 207, 192, 223):
        tell(studio, packet(kind, 1, bytes(12)))
    tell(studio, receiver_report(9, Block(own_ssrc(studio), lost=3)) + packet(206, 15, bytes(8)))
    studio.run(20)
    assert studio.engine.packets_stray == stray
    assert studio.engine.remove_leg(CALLER).quality.remote_lost == 3


BROKEN = {
    "cut short": receiver_report(9, Block(1))[:-4],
    "more blocks than there are": packet(201, 9, bytes(4)),
    "a sender report without its numbers": packet(200, 0, bytes(8)),
    "a length beyond the end": b"\x80\xc9\x00\xff" + bytes(8),
    "another version behind": receiver_report(9) + b"\x40\xca\x00\x00",
    "no RTCP behind": receiver_report(9) + b"\x80\x00\x00\x00",
    "octets over": receiver_report(9) + b"\x80",
    "padding in the middle": b"\xa0\xc9\x00\x01" + bytes(4) + receiver_report(9),
    "padding of nothing": b"\xa0\xc9\x00\x01" + bytes(4),
    "padding longer than the packet": b"\xa0\xc9\x00\x01\x00\x00\x00\xfc",
    "goodbye of nobody": packet(203, 5, bytes(4)),
    "seven octets": b"\x80\xc9\x00\x01\x00\x00\x00",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_add_up_is_stray_as_a_whole(studio: Studio, name: str) -> None:
    studio.run(20)
    truth = receiver_report(9, Block(own_ssrc(studio), lost=77))
    tell(studio, truth + BROKEN[name] if name != "seven octets" else BROKEN[name])
    stray = studio.engine.packets_stray
    studio.run(2)
    assert studio.engine.packets_stray == stray + 1
    assert studio.engine.remove_leg(CALLER).quality.remote_lost is None


def test_the_first_report_may_come_from_elsewhere_if_it_speaks_for_the_sound(
    studio: Studio,
) -> None:
    studio.run(250)
    row = studio.parties["caller"].row
    assert studio.wire.report_to[row] == REPORTS_AT
    block = Block(own_ssrc(studio), lost=5)
    stranger, behind_nat = ("192.0.2.66", 999), ("203.0.113.9", 33001)
    forged = Stray(row, receiver_report(0xDEAD, block), stranger, True)
    own = Stray(row, receiver_report(studio.parties["caller"].ssrc, block), behind_nat, True)
    studio.wire.strays = [forged]
    studio.step()
    assert studio.wire.report_to[row] == REPORTS_AT
    studio.wire.strays = [own]
    studio.step()
    assert studio.wire.report_to[row] == behind_nat
    assert studio.engine.remove_leg(CALLER).quality.remote_lost == 5


def test_reports_may_share_the_port_of_the_sound(studio: Studio) -> None:
    studio.engine.exchange_reports(CALLER, None, studio.now)
    studio.run(250)
    row = studio.parties["caller"].row
    assert studio.wire.report_to[row] == studio.wire.peer[row]
    assert reports(studio)
