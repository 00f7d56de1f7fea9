"""Memory is given back a minute after the calls are over, and now and then while there are always some."""

from __future__ import annotations

import gc
import weakref
from typing import ClassVar

import pytest

from cti.tidying import BUSY_S, FEW_CALLS, IDLE_S, MOST_CALLS, Depth, Tidying, _Process
from tests.kit.virtual_clock import VirtualClock


class Server:
    """What tidying sees of a server."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.calls = 0
        self.work = 0
        self.tidied: list[float] = []
        self.whole: list[float] = []
        self._begun = self.clock.now()
        Tidying(
            self.clock,
            lambda: self.calls,
            tidy=self._tidied,
            work=lambda: self.work,
        ).watch()

    def _tidied(self, depth: Depth) -> None:
        self.tidied.append(self.clock.now() - self._begun)
        if depth is Depth.ALL:
            self.whole.append(self.tidied[-1])

    def pass_time(self, seconds: float, *, working: bool = True) -> None:
        for _ in range(int(seconds)):
            self.work += working
            self.clock.advance(1.0)


def test_who_does_nothing_is_left_alone() -> None:
    server = Server()
    server.pass_time(3600, working=False)
    assert server.tidied == []


def test_once_a_minute_while_there_are_no_calls() -> None:
    server = Server()
    server.pass_time(IDLE_S + 1)
    assert len(server.tidied) == 1
    server.pass_time(3 * IDLE_S)
    assert len(server.tidied) == 4
    server.pass_time(3600, working=False)
    assert len(server.tidied) <= 5


def test_while_many_calls_talk_only_what_is_young_is_looked_through() -> None:
    server = Server()
    server.calls = 1000
    server.pass_time(2 * 3600)
    assert len(server.tidied) > 20
    assert server.whole == []
    server.calls = FEW_CALLS
    server.pass_time(BUSY_S + 40)
    assert len(server.whole) == 1


def test_who_never_sleeps_is_tidied_at_low_tide_and_the_more_is_low_the_longer_it_was_put_off() -> (
    None
):
    server = Server()
    server.calls = 2 * FEW_CALLS
    server.pass_time(3600 - BUSY_S)
    assert server.whole == []
    server.pass_time(2 * BUSY_S + 40)
    assert len(server.whole) == 1
    server.pass_time(3600 - 2 * BUSY_S)
    assert len(server.whole) == 1


def test_with_many_calls_nobody_is_held_up_however_long_it_was_put_off() -> None:
    server = Server()
    server.calls = MOST_CALLS + 1
    server.pass_time(24 * 3600)
    assert server.whole == []
    server.calls = MOST_CALLS
    server.pass_time(BUSY_S + 40)
    assert len(server.whole) == 1


def test_calls_that_were_tidied_after_in_haste_are_tidied_after_wholly_when_they_are_over() -> None:
    server = Server()
    server.calls = 1000
    server.pass_time(BUSY_S + 40)
    assert (len(server.tidied), server.whole) == (1, [])
    server.calls = 0
    server.pass_time(IDLE_S + 40, working=False)
    assert len(server.whole) == 1


def test_every_five_minutes_while_there_are_always_calls() -> None:
    server = Server()
    server.calls = 1000
    server.pass_time(BUSY_S - 1)
    assert server.tidied == []
    server.pass_time(2 * BUSY_S + 40)
    assert len(server.tidied) == 3


def test_once_after_the_last_call_when_its_transactions_are_gone() -> None:
    server = Server()
    server.calls = 1000
    server.pass_time(130)
    server.calls = 0
    server.pass_time(32, working=False)
    assert server.tidied == [], "too early: nothing would be done for what is still kept"
    server.pass_time(IDLE_S - 32, working=False)
    assert len(server.tidied) == 1
    server.pass_time(3600, working=False)
    assert len(server.tidied) == 1


def test_what_leads_only_to_itself_is_collected() -> None:
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    gc.disable()
    try:
        knot = Knot()
        gc.collect(1)  # as old as what a connection leaves
        seen = weakref.ref(knot)
        del knot
        _Process().tidy(Depth.YOUNG)
        assert seen() is not None
        _Process().tidy(Depth.ALL)
        assert seen() is None
    finally:
        gc.enable()


def test_a_c_library_without_trimming_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    _Process().tidy(Depth.ALL)


def test_what_the_c_library_keeps_free_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        trimmed: ClassVar[list[int]] = []

        def malloc_trim(self, pad: int) -> None:
            self.trimmed.append(pad)

    monkeypatch.setattr("ctypes.CDLL", lambda name: Library())
    _Process().tidy(Depth.ALL)
    assert Library.trimmed == [0]
