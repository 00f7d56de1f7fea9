"""Which calls the desk's phone answers by itself."""

from __future__ import annotations

import pytest

from cti.desk.agent.phone_keeper import is_answered_at_once
from cti.phone.protocol import Incoming


@pytest.mark.parametrize(
    ("info", "wanted"),
    [
        ("<sip:example.com>;answer-after=0", True),
        ("<sip:example.com>; Answer-After=0", True),
        ("<sip:example.com>;answer-after=5", False),
        ("<sip:example.com>;purpose=icon", False),
    ],
)
def test_what_the_switch_asks_for_is_done(info: str, wanted: bool) -> None:
    call = Incoming(call="1", from_number="+12025550101", headers={"Call-Info": info})
    assert is_answered_at_once(call) is wanted


def test_a_call_that_says_nothing_rings() -> None:
    assert not is_answered_at_once(Incoming(call="1", from_number="1002"))
