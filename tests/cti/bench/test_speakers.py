"""Parties say what they are told to, from sockets of their own, and are quiet when they are told so."""

from __future__ import annotations

import contextlib
import socket

import pytest

from cti.bench.speakers import Prepared, Speakers

FRAMES = 3000


@pytest.mark.slow
def test_parties_change_what_they_say_and_fall_silent() -> None:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(30)
        speeches = Prepared([b"one"] * FRAMES), Prepared([b"other"] * FRAMES)
        with contextlib.closing(Speakers(2, *speeches)) as parties:
            parties.start([ear.getsockname()[1]] * 2)
            senders = {ear.recvfrom(64) for _ in range(20)}
            assert senders == {(b"one", ("127.0.0.1", port)) for port in parties.ports}
            parties.say(1)
            while ear.recv(64) == b"one":
                pass
            assert {ear.recv(64) for _ in range(20)} == {b"other"}
            parties.say(None)
            ear.settimeout(0.5)  # 25 frames
            after = 0
            with contextlib.suppress(TimeoutError):
                while after < 20:
                    ear.recv(64)
                    after += 1
            assert after < 20, "some were on their way, no more"
