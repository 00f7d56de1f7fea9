"""Settings that make no sense are refused where they stand."""

from __future__ import annotations

import pytest

from switch.trunks.addresses import TrunkAddresses
from switch.trunks.settings import PhoneRange, TrunkSettings


def test_bad_addresses_ports_and_limits_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'lab': match entry 'localhost'"):
        TrunkSettings(name="lab", match=("localhost",))
    with pytest.raises(ValueError, match="proxy_port 0"):
        TrunkSettings(name="lab", proxy_port=0)
    with pytest.raises(ValueError, match=r"proxy 'sbc/1' is no IP address and no host name"):
        TrunkSettings(name="lab", proxy_host="sbc/1")
    with pytest.raises(ValueError, match="max_calls_per_second is -1"):
        TrunkSettings(name="lab", max_calls_per_second=-1)
    with pytest.raises(ValueError, match="max_calls is -1"):
        TrunkSettings(name="lab", max_calls=-1)


@pytest.mark.parametrize(("first", "last"), [("2000", "1000"), ("1", "10"), ("a", "b"), ("", "")])
def test_phone_ranges_must_ascend_and_be_of_one_length(first: str, last: str) -> None:
    with pytest.raises(ValueError, match="phone range"):
        PhoneRange(first=first, last=last)


def test_the_first_trunk_that_matches_an_address_wins() -> None:
    lab = TrunkSettings(name="lab", match=("127.0.0.1",))
    net = TrunkSettings(name="net", match=("127.0.0.0/8", "2001:db8::/32"))
    addresses = TrunkAddresses((lab, net))
    assert addresses.find("127.0.0.1") is lab
    assert addresses.find("127.0.0.2") is net
    assert addresses.find("2001:db8::1") is net
    assert addresses.find("192.0.2.1") is None
    assert addresses.find("example.com") is None


@pytest.mark.parametrize("number", ["100z", "10:1", "100\u00e9", "10\u0660\u0661", "", "10010"])
def test_what_only_sorts_between_the_ends_of_a_range_is_no_phone_of_it(number: str) -> None:
    assert number not in PhoneRange(first="1001", last="1050")
