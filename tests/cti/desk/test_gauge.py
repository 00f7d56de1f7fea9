"""Bars of one line."""

from __future__ import annotations

from cti.desk import looks
from cti.desk.widgets.gauge import cap_bar, cap_colour, share_bar, spark


def test_a_rate_stands_against_its_cap() -> None:
    assert cap_bar(0.0, 0.0, 3.0, 12).plain == "······┃·····"
    assert cap_bar(1.5, 2.5, 3.0, 12).plain == "━━━╌╌·┃·····"
    assert cap_bar(2.0, 4.0, 3.0, 12).plain == "━━━━╌╌┃╌····"
    assert cap_bar(9.0, 9.5, 3.0, 12).plain == "━━━━━━┃━━━━▸"
    assert cap_bar(1.0, 2.0, 0.0, 4).plain == "····"
    assert cap_bar(1.0, 2.0, 3.0, -1).plain == ""


def test_its_colour_says_whether_the_cap_is_kept() -> None:
    assert cap_colour(1.0, 2.9, 3.0) == looks.GREEN
    assert cap_colour(1.0, 3.1, 3.0) == looks.AMBER
    assert cap_colour(3.1, 4.0, 3.0) == looks.RED


def test_a_share_is_drawn_to_the_eighth() -> None:
    assert share_bar(0.5, 4).plain == "██··"
    assert share_bar(0.03125, 4).plain == "▏···"
    assert share_bar(7.0, 4).plain == "████"
    assert share_bar(-1.0, 4).plain == "····"


def test_a_course_is_a_line_of_bars() -> None:
    assert spark((), 8) == ""
    assert spark((0.0, 0.0), 8) == "▁▁"
    assert spark((1.0, 2.0, 4.0), 2) == "▅█"
    assert spark((1.0,), 8, top=2.0) == "▅"
    assert spark((1.0,), 0) == ""
