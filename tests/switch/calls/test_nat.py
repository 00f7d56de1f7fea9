"""Which address of ours a peer is told for its sound, where a NAT lies between us and some of them."""

from __future__ import annotations

from switch.calls.settings import CallSettings
from switch.sip.events import Invited
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone

OURS, FORWARDED = "127.0.0.1", "203.0.113.5"


def told_to(phone: Phone) -> str:
    """The address in the description of ours that the phone got last."""
    assert phone.sound is not None
    assert phone.sound.current is not None
    return phone.sound.current.remote_address


def test_near_and_far_phones_are_told_the_address_by_which_they_reach_us() -> None:
    near = ("10.0.0.7", 5060)
    settings = CallSettings(
        media_address=lambda host, own: OURS if host.startswith("10.") else FORWARDED
    )
    bench = Bench(settings)
    ann, bob = bench.phone("1001", address=near), bench.phone("1002")
    ann.call("1002")
    bob.answer()
    assert bob.last(Invited) is not None
    assert (told_to(ann), told_to(bob)) == (OURS, FORWARDED)
    bob.hold()
    bob.resume()
    assert told_to(bob) == FORWARDED, "as before"
    ann.hang_up()
    bob.call("1001")
    ann.answer()
    assert (told_to(ann), told_to(bob)) == (OURS, FORWARDED)
