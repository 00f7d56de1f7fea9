"""Addresses that went away while we listened there."""

from __future__ import annotations

from typing import NoReturn

import pytest

import cti.listening
from cti.listening import ListenAddresses, is_ours


def test_what_is_ours_is_told_from_what_is_not() -> None:
    assert is_ours("127.0.0.1")
    assert not is_ours("192.0.2.1")
    assert not is_ours("2001:db8::1")


def test_names_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> NoReturn:
        raise AssertionError("bind would ask the DNS, in the event loop")

    monkeypatch.setattr("cti.listening.socket.socket", asked)
    assert is_ours("sip.example.com")
    assert is_ours("1.2.3")


def test_an_address_that_went_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = ListenAddresses(["127.0.0.1", "127.0.0.2", "127.0.0.1"])
    assert not watched.lost
    monkeypatch.setattr(cti.listening, "is_ours", lambda address: address != "127.0.0.2")
    assert watched.lost == ("127.0.0.2",)


def test_one_that_was_never_ours_is_not_missed() -> None:
    """The address of sound may be that of a gateway on another machine."""
    assert ListenAddresses(["192.0.2.1"]).lost == ()
