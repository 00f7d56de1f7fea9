from __future__ import annotations

from collections.abc import Iterable

import pytest

from switch.rtp.stats import ReceiverStats, count_packet


def feed(stats: ReceiverStats, sequence: Iterable[int], *, ssrc: int = 1, row: int = 0) -> None:
    for n in sequence:
        count_packet(
            stats.table, row, n & 0xFFFF, n * 160 & 0xFFFFFFFF, ssrc, n * 0.02, 8000, False
        )


def test_nothing_is_lost_in_an_unbroken_stream_across_the_wrap() -> None:
    stats = ReceiverStats(1)
    feed(stats, range(65500, 65600))
    assert stats.lost(0) == 0


def test_gaps_are_counted() -> None:
    stats = ReceiverStats(1)
    feed(stats, [n for n in range(100) if n not in (10, 11, 50)])
    assert stats.lost(0) == 3


def test_reordered_packets_are_not_lost() -> None:
    stats = ReceiverStats(1)
    feed(stats, [0, 1, 3, 2, 4, 6, 5, 7])
    assert stats.lost(0) == 0


def test_duplicates_never_make_loss_negative() -> None:
    stats = ReceiverStats(1)
    feed(stats, [0, 1, 1, 1, 2])
    assert stats.lost(0) == 0


def test_a_new_source_is_a_new_start_and_no_loss() -> None:
    stats = ReceiverStats(1)
    feed(stats, range(10))
    feed(stats, range(5000, 5010), ssrc=2)
    feed(stats, range(60000, 60010), ssrc=2)
    assert stats.lost(0) == 0


def test_jitter_follows_the_formula_of_rfc_3550() -> None:
    stats = ReceiverStats(1)
    expected = 0.0
    last = None
    for n in range(200):
        arrival = n * 0.02 + (0.005 if n % 2 else 0.0)
        count_packet(stats.table, 0, n, n * 160, 1, arrival, 8000, False)
        transit = arrival - n * 0.02
        if last is not None:
            expected += (abs(transit - last) - expected) / 16
        last = transit
    assert stats.jitter_ms(0) == pytest.approx(expected * 1000, rel=1e-6)


def test_rows_are_independent_and_survive_growth() -> None:
    stats = ReceiverStats(2)
    feed(stats, [0, 1, 5], row=0)
    feed(stats, [0, 1, 2], row=1)
    stats.grow(4)
    feed(stats, [6, 9], row=0)
    feed(stats, [0, 1], row=3)
    assert [stats.lost(row) for row in (0, 1, 3)] == [5, 0, 0]
    stats.reset(0)
    assert stats.lost(0) == 0
