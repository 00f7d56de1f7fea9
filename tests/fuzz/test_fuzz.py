"""The fuzzer in short form, with fixed seeds; `python -m tests.fuzz` goes on for as long as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from tests.fuzz.__main__ import TARGETS
from tests.fuzz.campaign import BrokenPromiseError, Item, cases, run
from tests.fuzz.mutations import GENTLE, MAX_OCTETS, TEXT, mutate
from tests.fuzz.sip_targets import SIP_CORPUS

LIMITS = {
    "sip-parser": 1500,
    "sip-transactions": 200,
    "sip-stream": 200,
    "sip-walk": 25,
    "sdp": 250,
    "rtp-headers": 200,
    "sound": 6,
    "coded-sound": 4,
    "control": 150,
    "websocket": 200,
    "tls": 150,
    "call-headers": 400,
    "session-headers": 400,
    "session-walk": 25,
    "secure-sdp": 250,
    "stun": 150,
    "dtls": 40,
    "srtp": 60,
    "presence-walk": 8,
}


@pytest.mark.parametrize("name", TARGETS)
def test_no_damage_breaks_a_promise(name: str) -> None:
    _, finding = run(TARGETS[name], seed=1, limit=LIMITS[name])
    assert finding is None, finding and finding.report()


class Fragile:
    """Breaks at two words in a row of messages, wherever they stand."""

    name = "fragile"

    def make(self, rng: Random) -> list[Item]:
        """Three messages, now and then with the words in them."""
        words = [rng.choice((b"calm", b"boom", b"bang")) for _ in range(3)]
        return [rng.randbytes(50) + word + rng.randbytes(50) for word in words]

    def play(self, case: Sequence[Item]) -> None:
        """Raise where both are found."""
        text = b"".join(item for item in case if isinstance(item, bytes))
        if b"boom" in text and b"bang" in text:
            raise BrokenPromiseError("both")


def test_what_breaks_is_found_made_small_and_can_be_repeated() -> None:
    number, finding = run(Fragile(), seed=3, limit=100)
    assert finding is not None
    assert sorted(finding.case, key=str) == [b"bang", b"boom"]
    assert f"--again fragile 3 {number}" in finding.report()
    assert "base64 Ym9vbQ==" in finding.report()
    again = next(case for n, case in cases(Fragile(), 3) if n == number)
    with pytest.raises(BrokenPromiseError):
        Fragile().play(again)


def test_the_same_seed_does_the_same_damage_and_stays_within_bounds() -> None:
    assert [mutate(SIP_CORPUS, Random(n)) for n in range(200)] == [
        mutate(SIP_CORPUS, Random(n)) for n in range(200)
    ]
    for mutation in {*TEXT, *GENTLE}:
        for data in (b"", b"\r\n", b"x", SIP_CORPUS[0]):
            assert len(mutation(data, Random(1))) <= len(data) + MAX_OCTETS, mutation
